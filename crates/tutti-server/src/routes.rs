//! Every operation with what it needs and who does it. This is the only place where a route comes to be.

use std::{future::Future, pin::Pin};

use tutti_api::Operation;
use tutti_auth::{Authorized, Caller, Everywhere, Permission, Setup};
use tutti_ids::Name;
use tutti_store::Listed;

use crate::{
    answer::Answer,
    asked::Asked,
    handlers::{
        audit, controls, events, executions, health, principals, schedules, secrets, stream,
        tokens, views, workflows,
    },
};

/// What a handler is at work on.
pub(crate) type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What a route needs of its caller, and the handler, which gets the proof of it.
pub(crate) enum Route {
    /// Nothing: anybody may. There are few of these.
    Anybody(fn(Asked) -> Work),
    /// The setup token, as long as there is no administrator.
    Setup(fn(Asked, Setup) -> Work),
    /// To be known; what more is needed depends on the body, and the handler asks for it.
    Known(fn(Asked, Caller) -> Work),
    /// A permission in the namespace of the path.
    Within(Permission, fn(Asked, Authorized<Name>) -> Work),
    /// A permission in the namespace of the execution in the path.
    Of(Permission, fn(Asked, Authorized<Name>, Listed) -> Work),
    /// A permission everywhere.
    Everywhere(Permission, fn(Asked, Authorized<Everywhere>) -> Work),
}

/// A handler as a route has it.
macro_rules! to {
    ($handler:path, $($proof:ident),*) => {
        |asked, $($proof),*| Box::pin($handler(asked, $($proof),*))
    };
}

/// What an operation needs, and who does it.
pub(crate) fn route(operation: Operation) -> Route {
    use Permission as P;
    use Route::{Anybody, Everywhere, Known, Of, Setup, Within};
    match operation {
        Operation::Live => Anybody(to!(health::live,)),
        Operation::Ready => Anybody(to!(health::ready,)),
        Operation::OpenApi => Anybody(to!(health::open_api,)),
        Operation::Metrics => Everywhere(P::ServerRead, to!(health::metrics, proof)),
        Operation::Server => Known(to!(health::server, caller)),
        Operation::Setup => Setup(to!(principals::set_up, setup)),

        Operation::PublishWorkflow => Within(P::WorkflowPublish, to!(workflows::publish, proof)),
        Operation::ListWorkflows => Within(P::WorkflowRead, to!(workflows::list, proof)),
        Operation::ValidateWorkflow => Within(P::WorkflowRead, to!(workflows::validate, proof)),
        Operation::GetWorkflow | Operation::GetWorkflowVersion => {
            Within(P::WorkflowRead, to!(workflows::get, proof))
        }
        Operation::DeprecateWorkflow => Within(P::WorkflowDelete, to!(workflows::deprecate, proof)),
        Operation::DeleteWorkflow => Within(P::WorkflowDelete, to!(workflows::delete, proof)),

        Operation::StartExecution => Within(P::ExecutionStart, to!(executions::start, proof)),
        Operation::ListExecutions => Within(P::ExecutionRead, to!(executions::list, proof)),
        Operation::GetExecution => Of(P::ExecutionRead, to!(executions::get, proof, listed)),
        Operation::ListTasks => Of(P::ExecutionRead, to!(views::tasks, proof, listed)),
        Operation::GetJournal => Of(P::ExecutionReadValues, to!(views::journal, proof, listed)),
        Operation::GetWaiting => Of(P::ExecutionRead, to!(views::waiting, proof, listed)),
        Operation::StreamExecution => {
            Of(P::ExecutionReadValues, to!(stream::follow, proof, listed))
        }
        Operation::SuspendExecution => {
            Of(P::ExecutionControl, to!(controls::suspend, proof, listed))
        }
        Operation::ResumeExecution => Of(P::ExecutionControl, to!(controls::resume, proof, listed)),
        Operation::CancelExecution => Of(P::ExecutionControl, to!(controls::cancel, proof, listed)),
        Operation::RetryExecution => Of(P::ExecutionControl, to!(controls::retry, proof, listed)),
        Operation::ResolveIncident => {
            Of(P::ExecutionControl, to!(controls::resolve, proof, listed))
        }

        Operation::ListSchedules => Within(P::ScheduleRead, to!(schedules::list, proof)),
        Operation::PublishEvents => Within(P::EventPublish, to!(events::publish, proof)),

        Operation::ListSecrets => Within(P::SecretList, to!(secrets::list, proof)),
        Operation::WriteSecret => Within(P::SecretWrite, to!(secrets::write, proof)),
        Operation::DeleteSecret => Within(P::SecretWrite, to!(secrets::delete, proof)),

        Operation::CreatePrincipal => {
            Everywhere(P::PrincipalManage, to!(principals::create, proof))
        }
        Operation::ListPrincipals => Everywhere(P::PrincipalManage, to!(principals::list, proof)),
        Operation::DeletePrincipal => {
            Everywhere(P::PrincipalManage, to!(principals::delete, proof))
        }
        Operation::CreateToken => Known(to!(tokens::create, caller)),
        Operation::ListTokens => Known(to!(tokens::list, caller)),
        Operation::RevokeToken => Known(to!(tokens::revoke, caller)),

        Operation::ListAudit => Everywhere(P::AuditRead, to!(audit::list, proof)),
    }
}
