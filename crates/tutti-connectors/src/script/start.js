'use strict';
{
  const fs = require('node:fs');
  const vm = require('node:vm');
  const path = require('node:path');
  const { createRequire } = require('node:module');
  const take = (count) => {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; ) {
      const read = fs.readSync(0, bytes, at, count - at, null);
      if (read === 0) throw new Error('the script did not arrive whole');
      at += read;
    }
    return bytes;
  };
  let length = '';
  for (let byte = ''; byte !== '\n'; byte = take(1).toString()) length += byte;
  const { code, list, named } = JSON.parse(take(Number(length)).toString());
  const name = 'script.js';
  process.argv = [process.argv[0], name, ...list];
  for (const [key, value] of Object.entries(named)) {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(globalThis, key, property);
  }
  const importModuleDynamically = (specifier) => import(specifier);
  const required = createRequire(path.join(process.cwd(), name));
  const module = { exports: {} };

  const asModule = async () => {
    const { emitWarning } = process;
    process.emitWarning = () => {};
    let script;
    try {
      script = new vm.SourceTextModule(code, { identifier: name, importModuleDynamically });
    } finally {
      process.emitWarning = emitWarning;
    }
    await script.link(async (specifier) => {
      const found = await import(specifier);
      const names = Object.keys(found);
      return new vm.SyntheticModule(names, function () {
        for (const each of names) this.setExport(each, found[each]);
      });
    });
    await script.evaluate();
  };
  // Thrown where nobody catches it, an error is told with its line.
  const failed = (error) => {
    setImmediate(() => {
      throw error;
    });
  };

  let plain;
  try {
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];
    plain = vm.compileFunction(code, parameters, { filename: name, importModuleDynamically });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (plain) {
    plain.call(module.exports, module.exports, required, module, name, process.cwd());
  } else {
    globalThis.require = required;
    asModule().catch(failed);
  }
}
