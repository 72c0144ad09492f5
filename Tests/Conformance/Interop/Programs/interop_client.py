# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""gRPC's interoperability client on grpcio.

Runs the cases named on the command line (all without) against --target and prints a line for each:
"ok NAME" or "failed NAME: reason".
"""

import argparse
import queue
import sys
import threading
import time
import traceback

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from interop_common import (
    LARGE_REQUEST,
    LARGE_RESPONSE,
    MAX_MESSAGE,
    SPECIAL_MESSAGE,
    STREAM_REQUESTS,
    STREAM_RESPONSES,
    messages,
    services,
)


def payload(size):
    return messages.Payload(body=bytes(size))


def large_request(**fields):
    return messages.SimpleRequest(
        response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST), **fields
    )


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def expect_status(call, code, message=None):
    try:
        result = call()
        if hasattr(result, "__iter__") and not isinstance(result, messages.SimpleResponse):
            list(result)
    except grpc.RpcError as error:
        expect(error.code() == code, "status is %s (%s)" % (error.code(), error.details()))
        if message is not None:
            expect(error.details() == message, "message is %r" % error.details())
        return error
    raise AssertionError("the call did not fail")


def empty_unary(stub, channel):
    expect(stub.EmptyCall(messages.Empty(), timeout=20) == messages.Empty(), "not empty")


def large_unary(stub, channel):
    response = stub.UnaryCall(large_request(), timeout=20)
    expect(response.payload.body == bytes(LARGE_RESPONSE), "wrong payload")


def client_compressed_unary(stub, channel):
    # A feature probe: the server must notice that this is not compressed.
    probe = large_request(expect_compressed=messages.BoolValue(value=True))
    expect_status(lambda: stub.UnaryCall(probe, timeout=20), grpc.StatusCode.INVALID_ARGUMENT)
    response = stub.UnaryCall(probe, timeout=20, compression=grpc.Compression.Gzip)
    expect(len(response.payload.body) == LARGE_RESPONSE, "wrong payload")
    response = stub.UnaryCall(probe, timeout=20, compression=grpc.Compression.Deflate)
    expect(len(response.payload.body) == LARGE_RESPONSE, "wrong payload")
    plain = large_request(expect_compressed=messages.BoolValue(value=False))
    expect(len(stub.UnaryCall(plain, timeout=20).payload.body) == LARGE_RESPONSE, "wrong payload")


def server_compressed_unary(stub, channel):
    for value in (True, False):
        request = large_request(response_compressed=messages.BoolValue(value=value))
        call = stub.UnaryCall.with_call(request, timeout=20)
        response, details = call
        expect(response.payload.body == bytes(LARGE_RESPONSE), "wrong payload")


def client_streaming(stub, channel):
    requests = (messages.StreamingInputCallRequest(payload=payload(n)) for n in STREAM_REQUESTS)
    response = stub.StreamingInputCall(requests, timeout=20)
    expect(response.aggregated_payload_size == 74922, "wrong size")


def client_compressed_streaming(stub, channel):
    expected = messages.BoolValue(value=True)
    probe = iter([
        messages.StreamingInputCallRequest(payload=payload(27182), expect_compressed=expected)
    ])
    expect_status(
        lambda: stub.StreamingInputCall(probe, timeout=20), grpc.StatusCode.INVALID_ARGUMENT
    )
    requests = iter([
        messages.StreamingInputCallRequest(payload=payload(n), expect_compressed=expected)
        for n in (27182, 45904)
    ])
    response = stub.StreamingInputCall(requests, timeout=20, compression=grpc.Compression.Gzip)
    expect(response.aggregated_payload_size == 73086, "wrong size")


def server_streaming(stub, channel):
    request = messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=n) for n in STREAM_RESPONSES]
    )
    sizes = [len(r.payload.body) for r in stub.StreamingOutputCall(request, timeout=20)]
    expect(sizes == STREAM_RESPONSES, "sizes %s" % sizes)


def server_compressed_streaming(stub, channel):
    request = messages.StreamingOutputCallRequest(
        response_parameters=[
            messages.ResponseParameters(size=31415, compressed=messages.BoolValue(value=True)),
            messages.ResponseParameters(size=92653, compressed=messages.BoolValue(value=False)),
        ]
    )
    call = stub.StreamingOutputCall(request, timeout=20)
    sizes = [len(r.payload.body) for r in call]
    expect(sizes == [31415, 92653], "sizes %s" % sizes)


def ping_pong(stub, channel):
    sent = queue.Queue()
    responses = stub.FullDuplexCall(iter(sent.get, None), timeout=20)
    for request_size, response_size in zip(STREAM_REQUESTS, STREAM_RESPONSES):
        sent.put(
            messages.StreamingOutputCallRequest(
                response_parameters=[messages.ResponseParameters(size=response_size)],
                payload=payload(request_size),
            )
        )
        expect(len(next(responses).payload.body) == response_size, "wrong size")
    sent.put(None)
    expect(list(responses) == [], "more than was asked for")


def half_duplex(stub, channel):
    requests = (
        messages.StreamingOutputCallRequest(
            response_parameters=[messages.ResponseParameters(size=n)]
        )
        for n in STREAM_RESPONSES
    )
    sizes = [len(r.payload.body) for r in stub.HalfDuplexCall(requests, timeout=20)]
    expect(sizes == STREAM_RESPONSES, "sizes %s" % sizes)


def empty_stream(stub, channel):
    expect(list(stub.FullDuplexCall(iter([]), timeout=20)) == [], "not empty")


def custom_metadata(stub, channel):
    initial = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
    trailing = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
    response, call = stub.UnaryCall.with_call(
        large_request(), metadata=(initial, trailing), timeout=20
    )
    expect(initial in call.initial_metadata(), "initial: %s" % (call.initial_metadata(),))
    expect(trailing in call.trailing_metadata(), "trailing: %s" % (call.trailing_metadata(),))
    request = messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=LARGE_RESPONSE)]
    )
    call = stub.FullDuplexCall(iter([request]), metadata=(initial, trailing), timeout=20)
    expect(len(next(call).payload.body) == LARGE_RESPONSE, "wrong size")
    expect(initial in call.initial_metadata(), "initial of the stream")
    list(call)
    expect(trailing in call.trailing_metadata(), "trailing of the stream")


def status_code_and_message(stub, channel):
    status = messages.EchoStatus(code=2, message="test status message")
    request = messages.SimpleRequest(response_status=status)
    expect_status(
        lambda: stub.UnaryCall(request, timeout=20), grpc.StatusCode.UNKNOWN, status.message
    )
    streaming = messages.StreamingOutputCallRequest(response_status=status)
    expect_status(
        lambda: list(stub.FullDuplexCall(iter([streaming]), timeout=20)),
        grpc.StatusCode.UNKNOWN,
        status.message,
    )
    for code in grpc.StatusCode:
        if code == grpc.StatusCode.OK:
            continue
        request = messages.SimpleRequest(
            response_status=messages.EchoStatus(code=code.value[0], message="m")
        )
        expect_status(lambda: stub.UnaryCall(request, timeout=20), code, "m")


def special_status_message(stub, channel):
    request = messages.SimpleRequest(
        response_status=messages.EchoStatus(code=2, message=SPECIAL_MESSAGE)
    )
    expect_status(
        lambda: stub.UnaryCall(request, timeout=20), grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE
    )


def unimplemented_method(stub, channel):
    expect_status(
        lambda: stub.UnimplementedCall(messages.Empty(), timeout=20),
        grpc.StatusCode.UNIMPLEMENTED,
    )
    missing = channel.unary_unary("/grpc.testing.TestService/NoSuchMethod")
    expect_status(lambda: missing(b"", timeout=20), grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service(stub, channel):
    other = services.UnimplementedServiceStub(channel)
    expect_status(
        lambda: other.UnimplementedCall(messages.Empty(), timeout=20),
        grpc.StatusCode.UNIMPLEMENTED,
    )


def cancel_after_begin(stub, channel):
    hold = threading.Event()

    def requests():
        hold.wait()
        return
        yield

    call = stub.StreamingInputCall.future(requests())
    call.cancel()
    hold.set()
    expect(call.cancelled(), "not cancelled")
    expect(call.code() == grpc.StatusCode.CANCELLED, "status is %s" % call.code())


def cancel_after_first_response(stub, channel):
    sent = queue.Queue()
    call = stub.FullDuplexCall(iter(sent.get, None), timeout=20)
    sent.put(
        messages.StreamingOutputCallRequest(
            response_parameters=[messages.ResponseParameters(size=31415)], payload=payload(27182)
        )
    )
    expect(len(next(call).payload.body) == 31415, "wrong size")
    call.cancel()
    sent.put(None)
    expect_status(lambda: next(call), grpc.StatusCode.CANCELLED)


def timeout_on_sleeping_server(stub, channel):
    request = messages.StreamingOutputCallRequest(
        payload=payload(27182),
        response_parameters=[messages.ResponseParameters(size=1, interval_us=5_000_000)],
    )
    start = time.monotonic()
    expect_status(
        lambda: list(stub.FullDuplexCall(iter([request]), timeout=0.05)),
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )
    expect(time.monotonic() - start < 4, "it took too long")


def rpc_soak(stub, channel):
    for _ in range(300):
        response = stub.UnaryCall(large_request(), timeout=20)
        expect(len(response.payload.body) == LARGE_RESPONSE, "wrong size")


def channel_soak(stub, channel):
    for _ in range(50):
        with make_channel() as other:
            response = services.TestServiceStub(other).UnaryCall(large_request(), timeout=20)
            expect(len(response.payload.body) == LARGE_RESPONSE, "wrong size")


def concurrent_large_unary(stub, channel):
    calls = [stub.UnaryCall.future(large_request(), timeout=60) for _ in range(200)]
    for call in calls:
        expect(len(call.result().payload.body) == LARGE_RESPONSE, "wrong size")


def large_metadata(stub, channel):
    value = "v" * 6000
    initial = ("x-grpc-test-echo-initial", value)
    trailing = ("x-grpc-test-echo-trailing-bin", bytes(range(256)) * 20)
    many = tuple(("x-many-%d" % n, "w" * 50) for n in range(60))
    _, call = stub.UnaryCall.with_call(
        messages.SimpleRequest(response_size=1), metadata=(initial, trailing) + many, timeout=20
    )
    expect(initial in call.initial_metadata(), "initial")
    expect(trailing in call.trailing_metadata(), "trailing")


def max_message_size(stub, channel):
    # Protobuf's own bytes around a payload of this size: the field of the payload and its body.
    overhead = messages.SimpleRequest(payload=payload(MAX_MESSAGE)).ByteSize() - MAX_MESSAGE
    fits = messages.SimpleRequest(payload=payload(MAX_MESSAGE - overhead))
    expect(fits.ByteSize() == MAX_MESSAGE, "bad arithmetic: %d" % fits.ByteSize())
    stub.UnaryCall(fits, timeout=20)
    over = messages.SimpleRequest(payload=payload(MAX_MESSAGE - overhead + 1))
    expect_status(
        lambda: stub.UnaryCall(over, timeout=20), grpc.StatusCode.RESOURCE_EXHAUSTED
    )
    # The other way: the client's own limit.
    inside = stub.UnaryCall(
        messages.SimpleRequest(response_size=MAX_MESSAGE - overhead), timeout=20
    )
    expect(inside.ByteSize() == MAX_MESSAGE, "size %d" % inside.ByteSize())
    beyond = messages.SimpleRequest(response_size=MAX_MESSAGE - overhead + 1)
    expect_status(
        lambda: stub.UnaryCall(beyond, timeout=20), grpc.StatusCode.RESOURCE_EXHAUSTED
    )
    # The connection still works.
    empty_unary(stub, channel)


def health_check(stub, channel):
    health = health_pb2_grpc.HealthStub(channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    check = health.Check(health_pb2.HealthCheckRequest(service=""), timeout=20)
    expect(check.status == serving, "the server is %s" % check.status)
    named = health_pb2.HealthCheckRequest(service="grpc.testing.TestService")
    expect(health.Check(named, timeout=20).status == serving, "the service does not serve")
    expect_status(
        lambda: health.Check(health_pb2.HealthCheckRequest(service="none"), timeout=20),
        grpc.StatusCode.NOT_FOUND,
    )
    watch = health.Watch(named, timeout=20)
    expect(next(watch).status == serving, "the watch says something else")
    watch.cancel()
    unknown = health.Watch(health_pb2.HealthCheckRequest(service="none"), timeout=20)
    expect(
        next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN, "not unknown"
    )
    unknown.cancel()


def reflection(stub, channel):
    # grpcio's client speaks v1alpha on the wire in its older versions; the messages are the same.
    from google.protobuf import descriptor_pb2
    from grpc_reflection.v1alpha import reflection_pb2

    method = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )

    def ask(**fields):
        request = reflection_pb2.ServerReflectionRequest(**fields)
        return next(method(iter([request]), timeout=20))

    names = [s.name for s in ask(list_services="").list_services_response.service]
    for name in ("grpc.testing.TestService", "grpc.health.v1.Health"):
        expect(name in names, "services %s" % names)
    for fields in (
        {"file_containing_symbol": "grpc.testing.TestService"},
        {"file_containing_symbol": "grpc.testing.TestService.UnaryCall"},
        {"file_containing_symbol": "grpc.testing.SimpleRequest"},
        {"file_containing_symbol": "grpc.testing.SimpleRequest.payload"},
        {"file_by_filename": "interop.proto"},
    ):
        answer = ask(**fields)
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(data)
            for data in answer.file_descriptor_response.file_descriptor_proto
        ]
        expect(any(f.name == "interop.proto" for f in files), "%s: %s" % (fields, answer))
        expect(any(s.name == "TestService" for f in files for s in f.service), "no service")
    for fields in (
        {"file_containing_symbol": "grpc.testing.Nothing"},
        {"file_by_filename": "nothing.proto"},
    ):
        expect(ask(**fields).error_response.error_code == 5, "no NOT_FOUND for %s" % fields)


def reflection_client(stub, channel):
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
        ProtoReflectionDescriptorDatabase,
    )

    database = ProtoReflectionDescriptorDatabase(channel)
    expect("grpc.testing.TestService" in database.get_services(), "service is missing")
    file = database.FindFileContainingSymbol("grpc.testing.SimpleResponse")
    expect(file.package == "grpc.testing", "package %s" % file.package)


CASES = [
    empty_unary, large_unary, client_compressed_unary, server_compressed_unary, client_streaming,
    client_compressed_streaming, server_streaming, server_compressed_streaming, ping_pong,
    half_duplex, empty_stream, custom_metadata, status_code_and_message, special_status_message,
    unimplemented_method, unimplemented_service, cancel_after_begin, cancel_after_first_response,
    timeout_on_sleeping_server, rpc_soak, channel_soak, concurrent_large_unary, large_metadata,
    max_message_size, health_check, reflection, reflection_client,
]

parser = argparse.ArgumentParser()
parser.add_argument("--target", required=True)
parser.add_argument("--cacert")
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("cases", nargs="*")
arguments = parser.parse_args()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def make_channel():
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_metadata_size", 64 * 1024),
        ("grpc.absolute_max_metadata_size", 64 * 1024),
        # Channels must not share their connections.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if arguments.cacert:
        credentials = grpc.ssl_channel_credentials(
            read(arguments.cacert),
            read(arguments.key) if arguments.key else None,
            read(arguments.cert) if arguments.cert else None,
        )
        return grpc.secure_channel(arguments.target, credentials, options)
    return grpc.insecure_channel(arguments.target, options)


def main():
    with make_channel() as channel:
        stub = services.TestServiceStub(channel)
        for case in CASES:
            if arguments.cases and case.__name__ not in arguments.cases:
                continue
            try:
                case(stub, channel)
                print("ok", case.__name__, flush=True)
            except BaseException as error:
                traceback.print_exc()
                reason = "%s: %s" % (type(error).__name__, error)
                print("failed %s: %s" % (case.__name__, reason.replace("\n", " | ")), flush=True)


main()
sys.stdout.flush()
