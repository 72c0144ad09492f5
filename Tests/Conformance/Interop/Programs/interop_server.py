# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""gRPC's interoperability server on grpcio, with health and reflection.

Listens on a free port of 127.0.0.1 (or a unix socket: --unix PATH), prints "listening PORT", and
runs until its standard input is closed.
"""

import argparse
import sys
import time
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from interop_common import MAX_MESSAGE, messages, services


class TestService(services.TestServiceServicer):
    def _echo_metadata(self, context):
        for key, value in context.invocation_metadata():
            if key == "x-grpc-test-echo-initial":
                context.send_initial_metadata(((key, value),))
            elif key == "x-grpc-test-echo-trailing-bin":
                context.set_trailing_metadata(((key, value),))

    def _echo_status(self, request, context):
        if request.HasField("response_status"):
            status = request.response_status
            code = next(c for c in grpc.StatusCode if c.value[0] == status.code)
            context.abort(code, status.message)

    def EmptyCall(self, request, context):
        self._echo_metadata(context)
        return messages.Empty()

    def UnaryCall(self, request, context):
        self._echo_metadata(context)
        self._echo_status(request, context)
        if request.HasField("response_compressed") and request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        return messages.SimpleResponse(
            payload=messages.Payload(body=bytes(request.response_size))
        )

    def _responses(self, request, context):
        for parameters in request.response_parameters:
            if parameters.interval_us > 0:
                time.sleep(parameters.interval_us / 1e6)
            if parameters.HasField("compressed") and not parameters.compressed.value:
                context.disable_next_message_compression()
            yield messages.StreamingOutputCallResponse(
                payload=messages.Payload(body=bytes(parameters.size))
            )

    def StreamingOutputCall(self, request, context):
        if any(p.HasField("compressed") and p.compressed.value for p in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        self._echo_status(request, context)
        yield from self._responses(request, context)

    def StreamingInputCall(self, request_iterator, context):
        size = sum(len(request.payload.body) for request in request_iterator)
        return messages.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, request_iterator, context):
        self._echo_metadata(context)
        for request in request_iterator:
            self._echo_status(request, context)
            yield from self._responses(request, context)

    def HalfDuplexCall(self, request_iterator, context):
        for request in list(request_iterator):
            yield from self._responses(request, context)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unix")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--cacert")
    arguments = parser.parse_args()
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=64),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_metadata_size", 64 * 1024),
            ("grpc.so_reuseport", 0),
        ],
    )
    services.add_TestServiceServicer_to_server(TestService(), server)
    health_servicer = health.HealthServicer()
    health_servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    health_servicer.set("grpc.testing.TestService", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    reflection.enable_server_reflection(
        ("grpc.testing.TestService", "grpc.health.v1.Health", reflection.SERVICE_NAME), server
    )
    if arguments.unix:
        server.add_insecure_port("unix:" + arguments.unix)
        port = 0
    elif arguments.cert:
        with open(arguments.key, "rb") as key, open(arguments.cert, "rb") as cert:
            pair = (key.read(), cert.read())
        roots = open(arguments.cacert, "rb").read() if arguments.cacert else None
        credentials = grpc.ssl_server_credentials([pair], roots, roots is not None)
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print("listening", port, flush=True)
    sys.stdin.read()
    server.stop(0)


main()
