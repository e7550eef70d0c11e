"""The committed messages are those of ``extproc.proto``, and speak Envoy's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from waypost.serve.extproc.proto import extproc_pb2

protoc = pytest.importorskip("grpc_tools.protoc", reason="grpcio-tools is not installed")


def test_the_generated_code_is_current(tmp_path: Path) -> None:
    # The descriptors are compared rather than the text, which differs between versions of the compiler.
    source = Path(extproc_pb2.__file__).with_name("extproc.proto")
    root = source.parents[4]
    include = Path(protoc.__file__).with_name("_proto")
    output = tmp_path / "descriptors"
    arguments = ["protoc", f"-I{root}", f"-I{include}", f"--descriptor_set_out={output}", str(source)]
    assert protoc.main(arguments) == 0

    (expected,) = FileDescriptorSet.FromString(output.read_bytes()).file
    committed = FileDescriptorProto.FromString(extproc_pb2.DESCRIPTOR.serialized_pb)
    assert _without_json_names(committed) == _without_json_names(expected)


def _without_json_names(file: FileDescriptorProto) -> FileDescriptorProto:
    messages = list(file.message_type)
    while messages:
        message = messages.pop()
        messages.extend(message.nested_type)
        for field in message.field:
            field.ClearField("json_name")
    return file


def test_a_recorded_message_of_envoy_is_read() -> None:
    # field 2 {1: {1: {1: "a", 3: "b"}}, 3: true}, field 11 {1: 4}, and a field that we do not have (8, empty)
    wire = bytes.fromhex("120c0a080a060a01611a01621801") + bytes.fromhex("5a020804") + bytes.fromhex("4200")
    message = extproc_pb2.ProcessingRequest.FromString(wire)
    (header,) = message.request_headers.headers.headers
    assert (header.key, header.raw_value, message.request_headers.end_of_stream) == ("a", b"b", True)
    assert message.protocol_config.request_body_mode == extproc_pb2.ProcessingMode.FULL_DUPLEX_STREAMED
