// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BuiltinSchemas {
    /// `google/protobuf/any.proto`.
    static let any = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "AnyProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/anypb";
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // A message of any type: the URL names the type, the value is its binary form.
        message Any {
          string type_url = 1;
          bytes value = 2;
        }

        """#

    /// `google/protobuf/timestamp.proto`.
    static let timestamp = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "TimestampProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/timestamppb";
        option cc_enable_arenas = true;
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // A point in time: seconds since 1970 in UTC and nanoseconds from 0 to 999,999,999.
        message Timestamp {
          int64 seconds = 1;
          int32 nanos = 2;
        }

        """#

    /// `google/protobuf/duration.proto`.
    static let duration = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "DurationProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/durationpb";
        option cc_enable_arenas = true;
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // A span of time: seconds and nanoseconds of the same sign.
        message Duration {
          int64 seconds = 1;
          int32 nanos = 2;
        }

        """#

    /// `google/protobuf/wrappers.proto`.
    static let wrappers = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "WrappersProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/wrapperspb";
        option cc_enable_arenas = true;
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // A double that can be absent.
        message DoubleValue {
          double value = 1;
        }

        // A float that can be absent.
        message FloatValue {
          float value = 1;
        }

        // An int64 that can be absent.
        message Int64Value {
          int64 value = 1;
        }

        // A uint64 that can be absent.
        message UInt64Value {
          uint64 value = 1;
        }

        // An int32 that can be absent.
        message Int32Value {
          int32 value = 1;
        }

        // A uint32 that can be absent.
        message UInt32Value {
          uint32 value = 1;
        }

        // A bool that can be absent.
        message BoolValue {
          bool value = 1;
        }

        // A string that can be absent.
        message StringValue {
          string value = 1;
        }

        // Bytes that can be absent.
        message BytesValue {
          bytes value = 1;
        }

        """#

    /// `google/protobuf/struct.proto`.
    static let structure = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "StructProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/structpb";
        option cc_enable_arenas = true;
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // A JSON object.
        message Struct {
          map<string, Value> fields = 1;
        }

        // A JSON value.
        message Value {
          oneof kind {
            NullValue null_value = 1;
            double number_value = 2;
            string string_value = 3;
            bool bool_value = 4;
            Struct struct_value = 5;
            ListValue list_value = 6;
          }
        }

        // A JSON array.
        message ListValue {
          repeated Value values = 1;
        }

        // The JSON null.
        enum NullValue {
          NULL_VALUE = 0;
        }

        """#

    /// `google/protobuf/empty.proto`.
    static let empty = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "EmptyProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/emptypb";
        option cc_enable_arenas = true;
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // A message without fields.
        message Empty {
        }

        """#

    /// `google/protobuf/field_mask.proto`.
    static let fieldMask = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "FieldMaskProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/fieldmaskpb";
        option cc_enable_arenas = true;
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // Paths of fields that an operation is about.
        message FieldMask {
          repeated string paths = 1;
        }

        """#

    /// `google/protobuf/source_context.proto`.
    static let sourceContext = #"""
        syntax = "proto3";

        package google.protobuf;

        option java_package = "com.google.protobuf";
        option java_outer_classname = "SourceContextProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/sourcecontextpb";
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // Where a definition comes from.
        message SourceContext {
          string file_name = 1;
        }

        """#

    /// `google/protobuf/type.proto`.
    static let type = #"""
        syntax = "proto3";

        package google.protobuf;

        import "google/protobuf/any.proto";
        import "google/protobuf/source_context.proto";

        option java_package = "com.google.protobuf";
        option java_outer_classname = "TypeProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/typepb";
        option cc_enable_arenas = true;
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // A message type, for services that speak about types.
        message Type {
          string name = 1;
          repeated Field fields = 2;
          repeated string oneofs = 3;
          repeated Option options = 4;
          SourceContext source_context = 5;
          Syntax syntax = 6;
          string edition = 7;
        }

        // A field of a Type.
        message Field {
          enum Kind {
            TYPE_UNKNOWN = 0;
            TYPE_DOUBLE = 1;
            TYPE_FLOAT = 2;
            TYPE_INT64 = 3;
            TYPE_UINT64 = 4;
            TYPE_INT32 = 5;
            TYPE_FIXED64 = 6;
            TYPE_FIXED32 = 7;
            TYPE_BOOL = 8;
            TYPE_STRING = 9;
            TYPE_GROUP = 10;
            TYPE_MESSAGE = 11;
            TYPE_BYTES = 12;
            TYPE_UINT32 = 13;
            TYPE_ENUM = 14;
            TYPE_SFIXED32 = 15;
            TYPE_SFIXED64 = 16;
            TYPE_SINT32 = 17;
            TYPE_SINT64 = 18;
          }
          enum Cardinality {
            CARDINALITY_UNKNOWN = 0;
            CARDINALITY_OPTIONAL = 1;
            CARDINALITY_REQUIRED = 2;
            CARDINALITY_REPEATED = 3;
          }
          Field.Kind kind = 1;
          Field.Cardinality cardinality = 2;
          int32 number = 3;
          string name = 4;
          string type_url = 6;
          int32 oneof_index = 7;
          bool packed = 8;
          repeated Option options = 9;
          string json_name = 10;
          string default_value = 11;
        }

        // An enum type.
        message Enum {
          string name = 1;
          repeated EnumValue enumvalue = 2;
          repeated Option options = 3;
          SourceContext source_context = 4;
          Syntax syntax = 5;
          string edition = 6;
        }

        // A value of an Enum.
        message EnumValue {
          string name = 1;
          int32 number = 2;
          repeated Option options = 3;
        }

        // A named option value.
        message Option {
          string name = 1;
          Any value = 2;
        }

        // The language of a definition.
        enum Syntax {
          SYNTAX_PROTO2 = 0;
          SYNTAX_PROTO3 = 1;
          SYNTAX_EDITIONS = 2;
        }

        """#

    /// `google/protobuf/api.proto`.
    static let api = #"""
        syntax = "proto3";

        package google.protobuf;

        import "google/protobuf/source_context.proto";
        import "google/protobuf/type.proto";

        option java_package = "com.google.protobuf";
        option java_outer_classname = "ApiProto";
        option java_multiple_files = true;
        option go_package = "google.golang.org/protobuf/types/known/apipb";
        option objc_class_prefix = "GPB";
        option csharp_namespace = "Google.Protobuf.WellKnownTypes";

        // An interface of methods.
        message Api {
          string name = 1;
          repeated Method methods = 2;
          repeated Option options = 3;
          string version = 4;
          SourceContext source_context = 5;
          repeated Mixin mixins = 6;
          Syntax syntax = 7;
          string edition = 8;
        }

        // A method of an Api.
        message Method {
          string name = 1;
          string request_type_url = 2;
          bool request_streaming = 3;
          string response_type_url = 4;
          bool response_streaming = 5;
          repeated Option options = 6;
          Syntax syntax = 7 [deprecated = true];
          string edition = 8 [deprecated = true];
        }

        // An Api included in another.
        message Mixin {
          string name = 1;
          string root = 2;
        }

        """#
}
