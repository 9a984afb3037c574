"""The two gRPC services for a Pulumi program: the resource monitor and the engine's log."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from billing_provider.engine import paths, program, urns, wire
from billing_provider.engine.events import Diagnostic, Status
from billing_provider.engine.planner import Goal
from billing_provider.engine.plugin import MESSAGE_LIMIT
from billing_provider.engine.run import UnsupportedError
from billing_provider.engine.state import Resource

if TYPE_CHECKING:
    from billing_provider.engine.config import Project
    from billing_provider.engine.events import Events, Severity
    from billing_provider.engine.registrar import Registrar
    from billing_provider.engine.run import EngineRun

# SDKs ask for these features in two ways. The SDK refuses options whose feature is missing here.
FEATURES = {
    "secrets": resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    "resourceReferences": resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    "deletedWith": resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    "parameterization": resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
}

# Fields of a registration that this engine refuses; a test lists the others.
REFUSED_FIELDS = {
    "aliasSpecs": "alias specifications",
    "envVarMappings": "environment variables for providers",
    "hooks": "resource hooks",
    "importId": "the import option",
    "remote": "remote components",
    "replace_with": "the replace_with option",
    "replacement_trigger": "the replacement_trigger option",
    "state_migrations": "state migrations",
    "transforms": "transforms",
}

_SEVERITIES: dict[int, Severity] = {0: "debug", 1: "info", 2: "warning", 3: "error"}
_GET_RESOURCE = "pulumi:pulumi:getResource"
# The SDK keeps a call open for each resource that waits for another one.
_HANDLERS = 64


def goal_of(run: EngineRun, request: resource_pb2.RegisterResourceRequest) -> Goal:
    """Return the goal of a registration.

    Raises:
        UnsupportedError: It uses an unsupported option.
    """
    # The SDK always sends hooks, usually none.
    given = {field.name for field, value in request.ListFields() if field.name != "hooks" or value.ListFields()}
    for field, option in REFUSED_FIELDS.items():
        if field in given:
            raise UnsupportedError(_unsupported(option))
    for text in (*request.ignoreChanges, *request.replaceOnChanges):
        # An invalid path fails here, and not in the first run that has to compare.
        paths.parse(text)
    new = _resource(
        run,
        request,
        custom=request.custom,
        inputs=wire.read_struct(request.object),
        property_dependencies={
            key: sorted(request.propertyDependencies[key].urns) for key in sorted(request.propertyDependencies)
        },
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
        ignore_changes=list(request.ignoreChanges),
        replace_on_changes=list(request.replaceOnChanges),
        custom_timeouts={field.name: _seconds(text) for field, text in request.customTimeouts.ListFields()},
    )
    return Goal(
        new,
        aliases=[*request.aliasURNs, *(alias.urn for alias in request.aliases)],
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        version=request.version,
    )


def read_goal_of(run: EngineRun, request: resource_pb2.ReadResourceRequest) -> Goal:
    """Return the goal of a `.get`.

    Raises:
        UnsupportedError: It uses an unsupported type, such as a stack reference.
    """
    inputs = wire.read_struct(request.properties)
    new = _resource(run, request, custom=True, external=True, id=request.id, inputs=inputs)
    return Goal(new, version=request.version)


def _resource(
    run: EngineRun, request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest, **more: Any
) -> Resource:
    """Return the resource of a request, with what both kinds of requests have.

    Raises:
        UnsupportedError: Its type is unsupported.
    """
    if request.type == "pulumi:pulumi:StackReference":
        raise UnsupportedError(_unsupported("stack references"))
    if urns.package_of(request.type) == "pulumi" and request.type != urns.ROOT_TYPE:
        raise UnsupportedError(_unsupported(f"resources of type {request.type}"))
    return Resource(
        urn=urns.build(run.stack, run.project, request.parent, request.type, request.name),
        type=request.type,
        parent=request.parent,
        provider=request.provider,
        dependencies=sorted(request.dependencies),
        additional_secret_outputs=list(request.additionalSecretOutputs),
        **more,
    )


def _seconds(duration: str) -> float:
    """Return a duration such as `1h30m` in seconds, as state stores it."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", duration))


def _unsupported(what: str) -> str:
    return f"{what} are not supported by the embedded engine: use the pulumi command line"


class MonitorService(resource_pb2_grpc.ResourceMonitorServicer):
    """Serves the program's calls about resources."""

    def __init__(self, project: Project, run: EngineRun, registrar: Registrar) -> None:
        self._project = project
        self._run = run
        self._registrar = registrar

    def GetDeploymentInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Return the stack, its configuration and the features of this engine."""
        del request, context
        return resource_pb2.DeploymentInfo(
            project=self._project.name,
            stack=self._run.stack,
            organization="organization",
            config=self._project.plain_config(),
            configSecretKeys=self._project.secret_keys(),
            dryRun=self._run.dry_run,
            parallel=program.PARALLEL,
            supportedFeatures=FEATURES.values(),
        )

    def SupportsFeature(  # noqa: N802
        self, request: resource_pb2.SupportsFeatureRequest, context: grpc.ServicerContext
    ) -> resource_pb2.SupportsFeatureResponse:
        """Return whether this engine supports a feature; older SDKs use this call."""
        del context
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURES)

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        """Create, update or keep a declared resource."""
        del context
        answer = self._registrar.register(lambda: goal_of(self._run, request))
        return resource_pb2.RegisterResourceResponse(
            urn=answer.urn,
            id=answer.id,
            object=wire.write_struct(answer.properties),
            result=resource_pb2.SUCCESS if answer.ok else resource_pb2.FAIL,
        )

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ReadResourceResponse:
        """Read an existing resource."""
        del context
        answer = self._registrar.register(lambda: read_goal_of(self._run, request))
        return resource_pb2.ReadResourceResponse(
            urn=answer.urn,
            properties=wire.write_struct(answer.properties),
            result=resource_pb2.SUCCESS if answer.ok else resource_pb2.FAIL,
        )

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Store the outputs of a component or of the stack."""
        del context
        self._registrar.outputs(request.urn, wire.read_struct(request.outputs))
        return empty_pb2.Empty()

    def RegisterPackage(  # noqa: N802
        self, request: resource_pb2.RegisterPackageRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterPackageResponse:
        """Accept any package: its resources are simulated."""
        del context
        return resource_pb2.RegisterPackageResponse(ref=f"{request.name}-{request.version}")

    def Invoke(  # noqa: N802
        self, request: resource_pb2.ResourceInvokeRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ResourceInvokeResponse:
        """Return a resource of this run; refuse all other functions, which need the plugins of their packages."""
        if request.tok != _GET_RESOURCE:
            self._refuse(f"calls of functions ({request.tok})", context)
        urn = str(wire.read_struct(request.args)["urn"])
        resource = self._run.news.get(urn)
        if resource is None:
            context.abort(grpc.StatusCode.UNKNOWN, f"unknown resource {urn}")
        answer = resource_pb2.ResourceInvokeResponse()
        # The name of the field is a keyword of Python.
        getattr(answer, "return").CopyFrom(
            wire.write_struct({"urn": urn, "id": resource.id, "state": resource.outputs})
        )
        return answer

    def Call(self, request: resource_pb2.ResourceCallRequest, context: grpc.ServicerContext) -> NoReturn:  # noqa: N802
        """Refuse the call: methods of remote components need their plugins."""
        self._refuse(f"calls of methods ({request.tok})", context)

    def _refuse(self, what: str, context: grpc.ServicerContext) -> NoReturn:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, _unsupported(what))

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Return at once, so that the program can exit."""
        del request, context
        return empty_pb2.Empty()


class EngineService(engine_pb2_grpc.EngineServicer):
    """Receives the log messages of programs and plugins."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Emit a diagnostic, or a status if the message is temporary."""
        del context
        if request.ephemeral:
            self._events.emit(Status(request.message, request.urn))
        elif request.severity != engine_pb2.DEBUG:
            self._events.emit(Diagnostic(_SEVERITIES[request.severity], request.message.rstrip("\n"), request.urn))
        return empty_pb2.Empty()

    def RequirePulumiVersion(  # noqa: N802
        self, request: engine_pb2.RequirePulumiVersionRequest, context: grpc.ServicerContext
    ) -> engine_pb2.RequirePulumiVersionResponse:
        """Accept any version range: it refers to the Pulumi CLI, which is not used here."""
        del request, context
        return engine_pb2.RequirePulumiVersionResponse()


class GrpcServer:
    """The gRPC server on a loopback port; its address is known before it starts."""

    def __init__(self) -> None:
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=_HANDLERS, thread_name_prefix="monitor"),
            options=[("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.so_reuseport", 0)],
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def start(self, engine: EngineService, monitor: MonitorService | None = None) -> None:
        """Start serving."""
        engine_pb2_grpc.add_EngineServicer_to_server(engine, self._server)
        if monitor is not None:
            resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, self._server)
        self._server.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop(0).wait()
