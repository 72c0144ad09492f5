#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
#
# The descriptions of OpenAPI documents are those of the schema files.

scripts/generate-descriptions --check
