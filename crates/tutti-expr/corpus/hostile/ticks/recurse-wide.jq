(reduce range(18) as $i ([0]; [.,.])) | last(..)
