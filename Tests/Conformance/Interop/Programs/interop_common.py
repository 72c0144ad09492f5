# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""What the interop server and client share: the message types, made from interop.proto."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import grpc  # noqa: E402

messages, services = grpc.protos_and_services("interop.proto")

# Sizes that the cases name.
LARGE_REQUEST = 271828
LARGE_RESPONSE = 314159
STREAM_REQUESTS = [27182, 8, 1828, 45904]
STREAM_RESPONSES = [31415, 9, 2653, 58979]
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
MAX_MESSAGE = 4 * 1024 * 1024
