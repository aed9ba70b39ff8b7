//! What every handler works with.

use std::{fmt, sync::Arc};

use tutti_auth::{Caller, Grants, Label, Principal, Role, Token};
use tutti_dsl::Resources;
use tutti_ids::{PrincipalId, PrincipalKind};
use tutti_journal::Sealer;
use tutti_runtime::{Clock, Handle, Library, Reader};
use tutti_store::Lookup;

use crate::{
    admissions::{Admissions, Pauses},
    board::Board,
    feed::Feed,
    keyed::Keyed,
    load_error::LoadError,
    log::Log,
    metrics::Metrics,
    publications::Publications,
    refusals::Refusals,
    request_id::RequestIds,
    roster::Roster,
    vault::Vault,
};

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Who shows a token that is good.
    Tokens,
    /// Everybody who reaches the server, as an administrator: for one's own machine, on loopback.
    Everybody,
}

/// Loads what a document names elsewhere. May block.
pub type LoadResources = Arc<dyn Fn(&str) -> Resources + Send + Sync>;

/// What a server is made of.
pub struct DeskOptions {
    /// The runtime.
    pub handle: Handle,
    /// Where everything is kept.
    pub store: Arc<dyn Lookup>,
    /// The workflows; the published ones of the store are put on its shelves.
    pub library: Arc<Library>,
    /// Opens and seals what is secret.
    pub sealer: Arc<dyn Sealer>,
    /// The secrets that executions see; those of the store are put into it.
    pub vault: Vault,
    /// What has become durable.
    pub feed: Feed,
    /// What is counted.
    pub metrics: Metrics,
    /// What the server says of itself.
    pub log: Arc<dyn Log>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Who is let in.
    pub access: Access,
    /// Loads what documents name elsewhere.
    pub resources: LoadResources,
    /// The version of the product.
    pub version: &'static str,
}

impl fmt::Debug for DeskOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeskOptions").field("access", &self.access).finish_non_exhaustive()
    }
}

/// What every handler works with: the runtime, the store, and what is kept in memory of it.
pub struct Desk {
    pub(crate) handle: Handle,
    pub(crate) store: Arc<dyn Lookup>,
    pub(crate) reader: Reader,
    pub(crate) vault: Vault,
    pub(crate) feed: Feed,
    pub(crate) metrics: Metrics,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) access: Access,
    pub(crate) resources: LoadResources,
    pub(crate) version: &'static str,
    pub(crate) roster: Roster,
    pub(crate) publications: Publications,
    /// The schedules that are kept.
    pub(crate) board: Board,
    /// Who waits to be admitted.
    pub(crate) admissions: Admissions,
    /// Which calls wait until they may be made.
    pub(crate) pauses: Pauses,
    /// Starts under one key, and changes of one record, one after the other.
    pub(crate) keyed: Keyed,
    pub(crate) refusals: Refusals,
    pub(crate) request_ids: RequestIds,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("access", &self.access).finish_non_exhaustive()
    }
}

impl Desk {
    /// Opens the desk: reads what is published, who may ask, and the secrets.
    ///
    /// # Errors
    /// If something of that is damaged, or the store does not answer.
    pub async fn open(options: DeskOptions) -> Result<Self, LoadError> {
        let DeskOptions { handle, store, library, sealer, vault, feed, clock, .. } = options;
        let DeskOptions { access, resources, version, metrics, log, .. } = options;
        let roster = Roster::load(&*store).await?;
        let publications = Publications::load(&*store, library.clone()).await?;
        vault.load(&*store, &*sealer).await?;
        let reader = Reader { store: store.clone(), library, sealer };
        Ok(Self {
            handle,
            store,
            reader,
            vault,
            feed,
            metrics,
            log,
            clock,
            access,
            resources,
            version,
            roster,
            publications,
            board: Board::default(),
            admissions: Admissions::default(),
            pauses: Pauses::default(),
            keyed: Keyed::default(),
            refusals: Refusals::default(),
            request_ids: RequestIds::new(),
        })
    }

    /// The workflows.
    pub(crate) fn library(&self) -> &Arc<Library> {
        &self.reader.library
    }

    /// A token was written into the store beside the server.
    pub fn know_token(&self, token: Token) {
        self.roster.put_token(token);
    }

    /// A principal was written into the store beside the server.
    pub fn know_principal(&self, principal: Principal) {
        self.roster.put_principal(principal);
    }

    /// Whether the first administrator is still to be created.
    pub fn needs_setup(&self) -> bool {
        self.access == Access::Tokens && !self.roster.has_admin()
    }
}

/// Whoever reaches a server that lets everybody in.
pub(crate) fn everybody() -> Caller {
    let id = PrincipalId::new(PrincipalKind::User, 0, 0);
    let name: Label = "local".parse().expect("invariant: it is a label");
    Caller::signed_in(Principal { id, name, grants: Grants::everywhere(Role::Admin) })
}
