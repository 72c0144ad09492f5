// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// libyaml, and a flat view of its events: the library's event is a union inside of a struct, which
// costs a copy of the whole for each field read from Swift.

#ifndef APUS_CYAML_SHIM_H
#define APUS_CYAML_SHIM_H

#include <yaml.h>

/// What a caller reads of an event. Pointers belong to the event and live until it is deleted.
typedef struct {
    /// A yaml_event_type_t.
    int type;
    /// Whether the node may be resolved like a plain scalar without tag.
    int is_plain_implicit;
    /// Whether a collection is in flow style.
    int is_flow;
    /// The line and column of the event, from zero.
    size_t line;
    size_t column;
    /// The text of a scalar: length bytes, which may contain NUL.
    const unsigned char *value;
    size_t length;
    /// The anchor of a node or the target of an alias; NULL when there is none.
    const char *anchor;
    /// The tag of a node; NULL when there is none.
    const char *tag;
} apus_yaml_event_view;

/// Parses the next event, which has to be deleted with yaml_event_delete, and describes it.
///
/// Returns zero on an error, which the parser then describes.
static inline int apus_yaml_parse(
    yaml_parser_t *parser, yaml_event_t *event, apus_yaml_event_view *view
) {
    if (!yaml_parser_parse(parser, event)) {
        return 0;
    }
    view->type = (int)event->type;
    view->line = event->start_mark.line;
    view->column = event->start_mark.column;
    view->is_plain_implicit = 0;
    view->is_flow = 0;
    view->value = NULL;
    view->length = 0;
    view->anchor = NULL;
    view->tag = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        view->is_plain_implicit = event->data.scalar.plain_implicit;
        view->value = event->data.scalar.value;
        view->length = event->data.scalar.length;
        view->anchor = (const char *)event->data.scalar.anchor;
        view->tag = (const char *)event->data.scalar.tag;
        break;
    case YAML_ALIAS_EVENT:
        view->anchor = (const char *)event->data.alias.anchor;
        break;
    case YAML_SEQUENCE_START_EVENT:
        view->anchor = (const char *)event->data.sequence_start.anchor;
        view->tag = (const char *)event->data.sequence_start.tag;
        view->is_flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        break;
    case YAML_MAPPING_START_EVENT:
        view->anchor = (const char *)event->data.mapping_start.anchor;
        view->tag = (const char *)event->data.mapping_start.tag;
        view->is_flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        break;
    default:
        break;
    }
    return 1;
}

/// What a parser says about its error. Lines and columns count from zero; the texts are static.
typedef struct {
    /// A yaml_error_type_t.
    int type;
    const char *problem;
    size_t problem_line;
    size_t problem_column;
    /// For reader errors: the byte.
    size_t problem_offset;
    size_t context_line;
} apus_yaml_problem;

static inline apus_yaml_problem apus_yaml_get_problem(const yaml_parser_t *parser) {
    apus_yaml_problem problem = {
        .type = (int)parser->error,
        .problem = parser->problem,
        .problem_line = parser->problem_mark.line,
        .problem_column = parser->problem_mark.column,
        .problem_offset = parser->problem_offset,
        .context_line = parser->context_mark.line,
    };
    return problem;
}

#endif
