"""Compares what an operation table declares with the service's API model, and names every difference in one line.

    compare.py --declarations PROGRAM --service sqs --models DIR
        against DIR/sqs.service-2.json[.gz], or that of the folder $PENSTOCK_MODELS
    compare.py --declarations PROGRAM --service sqs --query
        against the last model that speaks the Query protocol, which an installed botocore of before November 2023 has:
        it alone knows that protocol's names and codes, and the statuses. What it is too old to know is compared with
        the names in LATER_QUERY_NAMES.
    compare.py --self-test
        compares a small model with declarations that have one thing wrong, for each thing that can be

Exits with 77, which ctest counts as skipped, where the model is not there. PROGRAM is penstock_declarations, whose
source says what it prints.
"""

import argparse
import copy
import gzip
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

SKIPPED = 77

# What stands before the name of a service's own errors in the JSON protocols.
ERROR_NAMESPACE = {"sqs": "com.amazonaws.sqs", "kinesis": "com.amazonaws.kinesis", "lambda": "com.amazonaws.lambda"}

# Where in a request or an answer a member stands, in the model's words and in ours.
PLACES = {"uri": "path", "querystring": "query", "header": "header", "statusCode": "status"}

# Errors of Lambda that nothing here can end with.
ELSEWHERE = (
    "CallbackTimeoutException|CapacityProviderLimitExceededException|CodeSigningConfigNotFoundException|"
    "CodeVerificationFailedException|DurableExecutionAlreadyStartedException|EC2AccessDeniedException|"
    "EC2ThrottledException|EC2UnexpectedException|EFSIOException|EFSMountConnectivityException|"
    "EFSMountFailureException|EFSMountTimeoutException|ENILimitReachedException|"
    "FunctionVersionsPerCapacityProviderLimitExceededException|InvalidCodeSignatureException|"
    "InvalidSecurityGroupIDException|InvalidSubnetIDException|KMSAccessDeniedException|KMSDisabledException|"
    "KMSInvalidStateException|KMSNotFoundException|NoPublishedVersionException|PolicyLengthExceededException|"
    "ProvisionedConcurrencyConfigNotFoundException|RecursiveInvocationException|S3FilesMountConnectivityException|"
    "S3FilesMountFailureException|S3FilesMountTimeoutException|SerializedRequestEntityTooLargeException|"
    "SnapStartException|SnapStartNotReadyException|SnapStartTimeoutException|SubnetIPAddressLimitReachedException"
)

# Differences that are meant: a pattern of the whole line, and why.
ALLOWED = {
    "sqs": [
        (
            r"\w+: the error Kms\w+ is not declared",
            "keys of the key service are kept and reported, and encrypt nothing, so that none of its errors arises",
        ),
        (r"\w+: the error InvalidIdFormat is not declared", "deprecated: ReceiptHandleIsInvalid stands for it"),
        (r"the fault table has no (Kms\w+|InvalidIdFormat)", "as above"),
        (
            r"ReceiveMessageRequest\.AttributeNames: the model's values Policy, .* are not allowed as declared",
            "the model shares a list with GetQueueAttributes; a message has none of a queue's attributes",
        ),
        (
            r"ReceiveMessageRequest\.AttributeNames: the values SenderId, SentTimestamp, ApproximateReceiveCount, "
            r"ApproximateFirstReceiveTimestamp, SequenceNumber, MessageDeduplicationId, MessageGroupId, "
            r"AWSTraceHeader, DeadLetterQueueSourceArn are declared, .*",
            "the same: the documentation of the member lists a message's own attributes",
        ),
        (
            r"ReceiveMessageRequest\.MessageSystemAttributeNames: the value SqsManagedSseEnabled is declared, .*",
            "the documentation of the member lists it, though no message has it",
        ),
        (
            r"GetQueueAttributesRequest\.AttributeNames: the model's values are All, .*, and none are declared",
            "which attributes there are depends on the queue's type, which the engine knows: it refuses the others",
        ),
        (
            r"(CreateQueue|SetQueueAttributes)Request\.Attributes: "
            r"the model's values are All, .*, and none are declared",
            "the same",
        ),
        (
            r"SendMessage(BatchRequestEntry|Request)\.MessageSystemAttributes: "
            r"the model's values are AWSTraceHeader, and none are declared",
            "refused with the rest of a system attribute's content, in a text of its own",
        ),
        (
            r"ChangeMessageVisibilityBatchRequestEntry\.VisibilityTimeout: declared with the range 0 to 43200, .*",
            "the model states it for the request about a single message only",
        ),
        (
            r"ReceiveMessageRequest\.VisibilityTimeout: declared with the range 0 to 43200, .*",
            "the model states it for the queue's attribute, to which the request's is an exception",
        ),
        (r"ReceiveMessageRequest\.WaitTimeSeconds: declared with the range 0 to 20, .*", "the same"),
    ],
    "kinesis": [],
    "lambda": [
        (r"\w+: the operation is declared by name only", "what it is about is not there: its route answers so"),
        (
            r"GetLayerVersionByArn: the operation is not declared",
            "the same, and its route is that of ListLayers with a query",
        ),
        (
            rf"\w+: the error ({ELSEWHERE}) is not declared",
            "about networks, file systems, keys, signatures, versions and the like, that there are not here",
        ),
        (rf"the fault table has no ({ELSEWHERE})", "as above"),
        (
            r"FunctionConfiguration\.(VpcConfig|MasterArn|Layers|StateReason|StateReasonCode|LastUpdateStatusReason|"
            r"LastUpdateStatusReasonCode|FileSystemConfigs|ImageConfigResponse|SigningProfileVersionArn|SigningJobArn|"
            r"RuntimeVersionConfig|CapacityProviderConfig|ConfigSha256|DurableConfig|TenancyConfig): "
            r"the member is not declared",
            "a function has none of it: what it says is refused where a function is made",
        ),
        (r"EnvironmentResponse\.Error: the member is not declared", "no environment is encrypted"),
        (r"LoggingConfig\.(Application|System)LogLevel: the member is not declared", "of an answer: refused in a request"),
        (r"GetFunctionResponse\.TagsError: the member is not declared", "tags can always be read"),
        (
            r"FunctionCodeLocation\.(ImageUri|ResolvedImageUri|SourceKMSKeyArn): the member is not declared",
            "code is a zip",
        ),
        (r"InvocationResponse\.X-Amz-Durable-Execution-Arn: the member is not declared", "there are none"),
        (
            r"EventSourceMappingConfiguration\.(Topics|Queues|SourceAccessConfigurations|SelfManagedEventSource|"
            r"AmazonManagedKafkaEventSourceConfig|SelfManagedKafkaEventSourceConfig|DocumentDBEventSourceConfig|"
            r"FilterCriteriaError|LoggingConfig|ProvisionedPollerConfig): the member is not declared",
            "a mapping has none of it: what it says is refused where a mapping is made",
        ),
        (
            r"(CreateFunction|UpdateFunctionConfiguration)Request\.Runtime: the model's values are .*",
            "refused with a text of its own, which differs from that of other values",
        ),
        (
            r"(CreateFunction|UpdateFunctionConfiguration)Request\.Timeout: .* in the model, declared 1 to 900",
            "the model leaves out what its documentation says",
        ),
        (
            r"(CreateFunction|UpdateFunctionConfiguration)Request\.MemorySize: .* in the model, declared 128 to 10240",
            "more have functions of capacity providers only",
        ),
        (r"DeleteFunction: the status 200 in the model, declared 204", "which the service answers"),
    ],
    "sqs --query": [
        (r"\w+: the error InvalidIdFormat is not declared", "deprecated: ReceiptHandleIsInvalid stands for it"),
        (r"the fault table has no InvalidIdFormat", "as above"),
    ],
}

# Lists and maps that came when the Query protocol was no longer described by a model that all have: the names by which
# the service still reads and writes them there.
LATER_QUERY_NAMES = {
    "ListMessageMoveTasksResult.Results": "ListMessageMoveTasksResultEntry",
    "ReceiveMessageRequest.MessageSystemAttributeNames": "MessageSystemAttributeName",
}

# Where the model itself states no range, its documentation often does.
STATED_RANGE = re.compile(r"(?:Valid values|Values? range)(?: is|:)? ?(\d[\d,]*)(?: to |-)(\d[\d,]*)")
STATED_MAX = re.compile(r"(?:upper limit|maximum value)[^.]{0,40}? is (\d[\d,]*)")


def listed(values):
    return ", ".join(values)


def one_or_many(word, values):
    return f"the {word}{'s' if len(values) > 1 else ''} {listed(values)} {'are' if len(values) > 1 else 'is'}"


class Model:
    """An API model in botocore's form."""

    def __init__(self, document):
        self.operations = document["operations"]
        self.shapes = document["shapes"]
        self.speaks_query = document["metadata"]["protocol"] == "query"

    def json_name(self, member, reference):
        # A model of the Query protocol gives the names of that one; members have the same in JSON as in the model.
        return member if self.speaks_query else reference.get("locationName", member)

    def query_name(self, member, reference):
        """What stands for one element in a flattened list or map, and for the member otherwise."""
        shape = self.shapes[reference["shape"]]
        if shape["type"] == "list" and "locationName" in shape["member"]:
            return shape["member"]["locationName"]
        return reference.get("queryName") or reference.get("locationName") or shape.get("locationName") or member

    def members_of(self, shape):
        """What may be declared: the errors within a stream of events are made of the fault table."""
        for name, reference in shape["members"].items():
            if not (shape.get("eventstream") and self.shapes[reference["shape"]].get("exception")):
                yield name, reference

    def is_flattened(self, reference):
        return reference.get("flattened") or self.shapes[reference["shape"]].get("flattened") or False

    def values_of(self, shape_name):
        """The enumeration of a string, of a list's elements or of a map's keys."""
        shape = self.shapes[shape_name]
        inner = shape.get("member") or shape.get("key")
        return self.shapes[inner["shape"]].get("enum", []) if inner else shape.get("enum", [])

    def stated_range(self, reference):
        """(min, max) of an integer, each None if it is stated nowhere."""
        shape = self.shapes[reference["shape"]]
        if "min" in shape or "max" in shape:
            return shape.get("min"), shape.get("max")
        text = re.sub(r"<[^>]+>", "", reference.get("documentation", shape.get("documentation", "")))
        found = STATED_RANGE.search(text) or STATED_MAX.search(text)
        numbers = [int(digits.replace(",", "")) for digits in found.groups()] if found else [None]
        return tuple(numbers) if len(numbers) == 2 else (None, numbers[0])

    def errors(self):
        return {name: shape for name, shape in self.shapes.items() if shape.get("exception")}


class Comparison:
    """Gathers the differences between `declared`, as penstock_declarations prints it, and `model`.

    A model that speaks Query is older than the declarations: what only these have is no difference then, and the
    constraints are left to the newer model.
    """

    def __init__(self, model, declared, namespace):
        self.model = model
        self.declared = declared
        self.namespace = namespace
        self.lines = {}  # in the order of being found, and each once

    def differ(self, line):
        self.lines[line] = True

    def unknown_to_model(self, line):
        if not self.model.speaks_query:
            self.differ(line)

    def run(self):
        declared = {operation["name"]: operation for operation in self.declared["operations"]}
        for name in self.model.operations.keys() - declared.keys():
            self.differ(f"{name}: the operation is not declared")
        for name, operation in declared.items():
            if name not in self.model.operations:
                self.unknown_to_model(f"{name}: the operation is not in the model")
            elif not operation["offered"]:
                self.differ(f"{name}: the operation is declared by name only")
            else:
                self.compare_operation(name, self.model.operations[name], operation)
            if self.model.speaks_query and operation["offered"]:
                self.compare_query_names(operation["input"])
                self.compare_query_names(operation["output"])
        self.compare_faults()
        return sorted(self.lines)

    def compare_operation(self, name, modelled, declared):
        if "path" in declared:
            self.compare_route(name, modelled["http"], declared)
        for side in ("input", "output"):
            reference = modelled.get(side)
            structure = declared[side]
            if reference:
                self.compare_structure(f"{name}'s {side}", reference["shape"], structure, side == "input")
            elif structure["members"]:
                self.differ(f"{name}: the model has no {side}, and {structure['name']} is declared")
        errors = {error["shape"] for error in modelled.get("errors", [])}
        declared_errors = {error.partition("#")[2] for error in declared["errors"]}
        for error in errors - declared_errors:
            self.differ(f"{name}: the error {error} is not declared")
        for error in declared_errors - errors:
            self.unknown_to_model(f"{name}: the error {error} is declared, and the model does not have it")

    def compare_route(self, name, modelled, declared):
        # What follows a question mark tells some operations apart, and a slash at the end none.
        path = modelled["requestUri"].partition("?")[0].rstrip("/")
        stated = {"method": modelled["method"], "path": path, "status": modelled.get("responseCode", 200)}
        for part, value in stated.items():
            if declared[part] != value:
                self.differ(f"{name}: the {part} {value} in the model, declared {declared[part]}")

    def compare_structure(self, where, name, declared, is_input):
        if declared["name"] != name:
            self.differ(f"{where}: {name} in the model, declared as {declared['name']}")
        shape = self.model.shapes[name]
        modelled = {self.model.json_name(*item): item for item in self.model.members_of(shape)}
        members = {member["json"]: member for member in declared["members"]}
        for member in modelled.keys() - members.keys():
            self.differ(f"{name}.{member}: the member is not declared")
        for member in members.keys() - modelled.keys():
            self.unknown_to_model(f"{name}.{member}: the member is declared, and the model does not have it")
        for json_name in members.keys() & modelled.keys():
            key, reference = modelled[json_name]
            member = members[json_name]
            path = f"{name}.{json_name}"
            required = key in shape.get("required", [])
            if required != member["required"]:
                words = {True: "required", False: "optional"}
                self.differ(f"{path}: {words[required]} in the model, declared as {words[member['required']]}")
            place = "payload" if shape.get("payload") == key else PLACES.get(reference.get("location"), "body")
            if place != member.get("place", "body"):
                self.differ(f"{path}: in the {place} in the model, declared in the {member['place']}")
            if member["type"]["kind"] == "anything":
                continue
            self.compare_type(path, reference["shape"], member["type"], is_input)
            self.compare_wire(path, key, reference, member)
            if is_input and not self.model.speaks_query:
                self.compare_constraints(path, reference, member["constraints"])

    def compare_type(self, path, shape_name, declared, is_input):
        shape = self.model.shapes[shape_name]
        kind = shape["type"]
        if kind != declared["kind"]:
            self.differ(f"{path}: {kind} in the model, declared as {declared['kind']}")
        elif kind == "structure":
            self.compare_structure(path, shape_name, declared["structure"], is_input)
        elif kind == "list":
            self.compare_type(f"{path}[]", shape["member"]["shape"], declared["element"], is_input)
        elif kind == "map":
            self.compare_type(f"{path}{{}}", shape["value"]["shape"], declared["element"], is_input)

    def compare_wire(self, path, key, reference, member):
        if not self.model.speaks_query:
            return
        shape = self.model.shapes[reference["shape"]]
        name = self.model.query_name(key, reference)
        if member["query"] != name:
            self.differ(f"{path}: {name} in the Query protocol, declared as {member['query']}")
        if shape["type"] in ("list", "map") and not self.model.is_flattened(reference):
            self.differ(f"{path}: not flattened in the Query protocol, and all {shape['type']}s are as declared")
        if shape["type"] == "map":
            for part in ("key", "value"):
                name = shape[part].get("locationName", part)
                if member[part] != name:
                    self.differ(f"{path}: its {part} is {name} in the Query protocol, declared as {member[part]}")

    def compare_query_names(self, structure):
        """Holds members that the model is too old to have against their names in LATER_QUERY_NAMES or in JSON."""
        shape = self.model.shapes.get(structure["name"], {"members": {}})
        for member in structure["members"]:
            path = f"{structure['name']}.{member['json']}"
            declared = member["type"]
            if member["json"] not in shape["members"]:
                is_collection = declared["kind"] in ("list", "map")
                name = LATER_QUERY_NAMES.get(path) if is_collection else member["json"]
                if member["query"] != name:
                    known = name or "no known name"
                    self.differ(f"{path}: {known} in the Query protocol, declared as {member['query']}")
            element = declared.get("element", declared)
            if "structure" in element:
                self.compare_query_names(element["structure"])

    def compare_constraints(self, path, reference, declared):
        """Of a member, or of what is in a list or map, if that is no structure, whose members are compared anyway."""
        shape = self.model.shapes[reference["shape"]]
        kind = shape["type"]
        # A list's or a map's values may be declared as its own: some services word it so that they belong to the member.
        inner = declared.get("key" if kind == "map" else "element", {})
        allowed = declared.get("allowed") or inner.get("allowed", [])
        self.compare_values(path, self.model.values_of(reference["shape"]), allowed)
        if kind in ("integer", "long"):
            self.compare_range(path, self.model.stated_range(reference), declared.get("range"))
        else:
            self.compare_length(path, (shape.get("min"), shape.get("max")), declared.get("length"))
        if shape.get("pattern") != declared.get("pattern"):
            self.differ(
                f"{path}: the pattern {shape.get('pattern')} in the model, declared {declared.get('pattern')}"
            )
        if kind == "list":
            self.compare_inner(f"{path}[]", shape["member"], declared.get("element", {}))
        elif kind == "map":
            self.compare_inner(f"{path}{{}}", shape["value"], declared.get("element", {}))
            self.compare_inner(f"{path}{{key}}", shape["key"], declared.get("key", {}))

    def compare_inner(self, path, reference, declared):
        shape = self.model.shapes[reference["shape"]]
        # Values were compared with those of the member.
        if shape["type"] != "structure":
            self.compare_constraints(path, reference, declared | {"allowed": shape.get("enum", [])})

    def compare_length(self, path, modelled, declared):
        declared = tuple(declared or (None, None))
        # No length is less than nothing, whether that is said or not.
        if tuple(bound or None for bound in modelled) != tuple(bound or None for bound in declared):
            self.differ(f"{path}: the length {self.words(modelled)} in the model, declared {self.words(declared)}")

    def compare_values(self, path, modelled, declared):
        if modelled and not declared:
            self.differ(f"{path}: the model's values are {listed(modelled)}, and none are declared")
            return
        missing = [value for value in modelled if value not in declared]
        added = [value for value in declared if value not in modelled]
        if missing:
            self.differ(f"{path}: the model's values {listed(missing)} are not allowed as declared")
        if added:
            self.unknown_to_model(f"{path}: {one_or_many('value', added)} declared, and the model has none such")

    @staticmethod
    def words(bounds):
        return "unbounded" if not bounds or bounds == (None, None) else f"{bounds[0]} to {bounds[1]}"

    def compare_range(self, path, modelled, declared):
        low, high = modelled
        if declared is None:
            if high is not None or low is not None:
                self.differ(f"{path}: the range {self.words(modelled)} in the model, none declared")
        elif high is None and low is None:
            text = f"{path}: declared with the range {self.words(declared)}, and the model states none"
            self.unknown_to_model(text)
        elif (low is not None and low != declared[0]) or (
            high != declared[1] if low is not None else high is not None and high != declared[1]
        ):
            self.differ(f"{path}: the range {self.words(modelled)} in the model, declared {self.words(declared)}")

    def compare_faults(self):
        faults = {}
        for fault in self.declared["faults"]:
            namespace, _, name = fault["type"].partition("#")
            if namespace == self.namespace:
                faults[name] = fault
        errors = self.model.errors()
        for name in errors.keys() - faults.keys():
            self.differ(f"the fault table has no {name}")
        for name in faults.keys() - errors.keys():
            self.unknown_to_model(f"the fault table has {name}, and the model does not")
        for name in errors.keys() & faults.keys():
            self.compare_fault(name, errors[name], faults[name])

    def compare_fault(self, name, shape, fault):
        stated = shape.get("error", {})
        if self.model.speaks_query and fault["query_code"] != stated.get("code", name):
            self.differ(f"{name}: the code {stated.get('code', name)} in the model, declared {fault['query_code']}")
        if fault["status"] != stated.get("httpStatusCode", fault["status"]):
            self.differ(f"{name}: the status {stated['httpStatusCode']} in the model, declared {fault['status']}")
        is_server = shape.get("fault", False)
        if fault["sender"] == is_server:
            self.differ(f"{name}: the {'server' if is_server else 'sender'}'s fault in the model, not as declared")


def without_allowed(lines, allowed):
    """The lines that no pattern of `allowed` matches, and one for each pattern that matches none."""
    left = [line for line in lines if not any(re.fullmatch(pattern, line) for pattern, _ in allowed)]
    stale = [pattern for pattern, _ in allowed if not any(re.fullmatch(pattern, line) for line in lines)]
    return left + [f"allowed, and there is no such difference any more: {pattern}" for pattern in stale]


def read_model(path):
    return Model(json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()))


def find_model(folder, service):
    """The model's path in a folder of models, or None."""
    found = [folder / f"{service}.service-2.json{ending}" for ending in ("", ".gz")]
    return next((path for path in found if path.is_file()), None)


def find_query_model(service):
    """The path of the model in the botocore of this interpreter, or None if there is none that speaks Query."""
    package = importlib.util.find_spec("botocore")
    for place in package.submodule_search_locations if package else []:
        for path in sorted(pathlib.Path(place).glob(f"data/{service}/*/service-2.json*")):
            if read_model(path).speaks_query:
                return path
    return None


# ---------------------------------------------------------------------------------------------------------------------
# The test of the test.

SMALL_MODEL = {
    "metadata": {"protocol": "json"},
    "operations": {
        "Paint": {
            "input": {"shape": "PaintRequest"},
            "output": {"shape": "PaintResult"},
            "errors": [{"shape": "OutOfPaint"}],
            "http": {"method": "POST", "requestUri": "/walls/{Wall}/?paint=yes", "responseCode": 201},
        },
        "Rinse": {"errors": [{"shape": "OutOfWater"}]},
    },
    "shapes": {
        "PaintRequest": {
            "type": "structure",
            "required": ["Wall"],
            "members": {
                "Wall": {"shape": "Name"},
                "Coats": {"shape": "Coats"},
                "Hours": {"shape": "Whole", "documentation": "<p>Valid values: 0 to <b>1,200</b>.</p>"},
                "Days": {"shape": "Whole", "documentation": "The upper limit is 10."},
                "Colors": {"shape": "Colors"},
                "Tags": {"shape": "Tags"},
                "Finish": {"shape": "Finish"},
                "Rooms": {"shape": "Rooms"},
                "Notes": {"shape": "Notes"},
                "Ladders": {"shape": "Natural"},
            },
        },
        "PaintResult": {
            "type": "structure",
            "members": {"Litres": {"shape": "Long"}, "Events": {"shape": "Events"}},
        },
        "Events": {
            "type": "structure",
            "eventstream": True,
            "members": {"Finish": {"shape": "Finish"}, "OutOfPaint": {"shape": "OutOfPaint"}},
        },
        "Name": {"type": "string", "min": 1, "max": 80, "pattern": "[a-z]+"},
        "Coats": {"type": "integer", "min": 1, "max": 3},
        "Whole": {"type": "integer"},
        "Long": {"type": "long"},
        "Colors": {"type": "list", "member": {"shape": "Color", "locationName": "Color"}, "flattened": True},
        "Color": {"type": "string", "enum": ["red", "blue"]},
        "Text": {"type": "string"},
        "Tags": {
            "type": "map",
            "key": {"shape": "Text", "locationName": "Key"},
            "value": {"shape": "Text", "locationName": "Value"},
            "flattened": True,
            "locationName": "Tag",
        },
        "Finish": {"type": "structure", "members": {"Gloss": {"shape": "Flag"}}},
        "Flag": {"type": "boolean"},
        "Rooms": {"type": "list", "member": {"shape": "Name"}, "min": 1, "max": 9, "flattened": True},
        "Notes": {
            "type": "map",
            "key": {"shape": "Name", "locationName": "Key"},
            "value": {"shape": "Note", "locationName": "Value"},
            "max": 5,
            "flattened": True,
        },
        "Note": {"type": "string", "min": 0, "max": 10},
        "Natural": {"type": "integer", "min": 0},
        "OutOfPaint": {
            "type": "structure",
            "members": {},
            "exception": True,
            "error": {"code": "Decorators.OutOfPaint", "httpStatusCode": 403, "senderFault": True},
        },
        "OutOfWater": {"type": "structure", "members": {}, "exception": True, "fault": True},
    },
}


def small_declarations():
    """What declares SMALL_MODEL without a difference, in either protocol."""

    def member(name, kind, required=False, query=None, **more):
        names = {"json": name, "query": query or name, "key": "Key", "value": "Value"}
        kind = kind if isinstance(kind, dict) else {"kind": kind}
        return names | {"required": required, "type": kind, "constraints": more}

    finish = {"kind": "structure", "structure": {"name": "Finish", "members": [member("Gloss", "boolean")]}}
    events = {"kind": "structure", "structure": {"name": "Events", "members": [member("Finish", finish)]}}
    colors = {"kind": "list", "element": {"kind": "string"}}
    tags = {"kind": "map", "element": {"kind": "string"}}
    name = {"length": [1, 80], "pattern": "[a-z]+"}
    request = [
        member("Wall", "string", True, length=[1, 80], pattern="[a-z]+"),
        member("Coats", "integer", range=[1, 3]),
        member("Hours", "integer", range=[0, 1200]),
        member("Days", "integer", range=[1, 10]),
        member("Colors", colors, query="Color", allowed=["red", "blue"]),
        member("Tags", tags, query="Tag"),
        member("Finish", finish),
        member("Rooms", colors, length=[1, 9], element=name),
        member("Notes", tags, length=[0, 5], element={"length": [0, 10]}, key=name),
        member("Ladders", "integer", range=[0, None]),
    ]
    paint = {
        "name": "Paint",
        "offered": True,
        "input": {"name": "PaintRequest", "members": request},
        "output": {"name": "PaintResult", "members": [member("Litres", "long"), member("Events", events)]},
        "errors": ["decorators#OutOfPaint"],
    }
    rinse = {"name": "Rinse", "offered": True, "input": NOTHING, "output": NOTHING, "errors": ["decorators#OutOfWater"]}
    faults = [
        {"type": "decorators#OutOfPaint", "query_code": "Decorators.OutOfPaint", "status": 403, "sender": True},
        {"type": "decorators#OutOfWater", "query_code": "OutOfWater", "status": 500, "sender": False},
        {"type": "other#Elsewhere", "query_code": "Elsewhere", "status": 400, "sender": True},
    ]
    return {"operations": [paint, rinse], "faults": faults}


def on_member(index, **changes):
    return lambda d: d["operations"][0]["input"]["members"][index].update(changes)


def constrained(index, **changes):
    return lambda d: d["operations"][0]["input"]["members"][index]["constraints"].update(changes)


def without(index, constraint):
    return lambda d: d["operations"][0]["input"]["members"][index]["constraints"].pop(constraint)


def on_operation(index, **changes):
    return lambda d: d["operations"][index].update(changes)


def on_fault(index, **changes):
    return lambda d: d["faults"][index].update(changes)


def with_brush(**changes):
    brush = {"json": "Brush", "query": "Brush", "key": "Key", "value": "Value", "required": False}
    brush |= {"type": {"kind": "string"}, "constraints": {}}
    return lambda d: d["operations"][0]["input"]["members"].append(brush | changes)


def list_of(kind):
    return {"kind": "list", "element": {"kind": kind}}


PAINT, RINSE = range(2)
ROUTE = {"method": "POST", "path": "/walls/{Wall}", "status": 201}
WALL, COATS, HOURS, DAYS, COLORS, TAGS, FINISH, ROOMS, NOTES, LADDERS = range(10)
TIRED = {"type": "decorators#Tired", "query_code": "Tired", "status": 400, "sender": True}
NOTHING = {"name": "Nothing", "members": []}
SCRUB = {"name": "Scrub", "offered": True, "input": NOTHING, "output": NOTHING, "errors": []}
BRIEF = {"name": "Brief", "members": [{"json": "Coats"}]}
EMPTY_FINISH = {"kind": "structure", "structure": {"name": "Finish", "members": []}}

# What has to be reported, and what makes it so: of operations, of members, of their types, of constraints, of errors.
PLANTED = [
    ("Rinse: the operation is not declared", lambda d: d["operations"].pop()),
    ("Scrub: the operation is not in the model", lambda d: d["operations"].append(SCRUB)),
    ("Paint: the operation is declared by name only", on_operation(PAINT, offered=False, input=None, output=None)),
    ("Rinse: the model has no output, and Brief is declared", on_operation(RINSE, output=BRIEF)),
    (
        "Paint's input: PaintRequest in the model, declared as Request",
        lambda d: d["operations"][PAINT]["input"].update(name="Request"),
    ),
    ("PaintRequest.Coats: the member is not declared", lambda d: d["operations"][PAINT]["input"]["members"].pop(COATS)),
    ("PaintRequest.Brush: the member is declared, and the model does not have it", with_brush()),
    ("Finish.Gloss: the member is not declared", on_member(FINISH, type=EMPTY_FINISH)),
    ("PaintResult.Litres: the member is not declared", lambda d: d["operations"][PAINT]["output"]["members"].pop(0)),
    ("PaintRequest.Wall: required in the model, declared as optional", on_member(WALL, required=False)),
    ("PaintRequest.Coats: optional in the model, declared as required", on_member(COATS, required=True)),
    ("PaintRequest.Wall: in the body in the model, declared in the query", on_member(WALL, place="query")),
    ("Paint: the path /walls/{Wall} in the model, declared /walls", on_operation(PAINT, **(ROUTE | {"path": "/walls"}))),
    ("Paint: the method POST in the model, declared PUT", on_operation(PAINT, **(ROUTE | {"method": "PUT"}))),
    ("Paint: the status 201 in the model, declared 200", on_operation(PAINT, **(ROUTE | {"status": 200}))),
    ("PaintRequest.Coats: integer in the model, declared as long", on_member(COATS, type={"kind": "long"})),
    ("PaintRequest.Colors[]: string in the model, declared as integer", on_member(COLORS, type=list_of("integer"))),
    ("PaintRequest.Tags: map in the model, declared as list", on_member(TAGS, type=list_of("string"))),
    (
        "PaintRequest.Tags{}: string in the model, declared as blob",
        on_member(TAGS, type={"kind": "map", "element": {"kind": "blob"}}),
    ),
    ("PaintRequest.Coats: the range 1 to 3 in the model, declared 1 to 4", constrained(COATS, range=[1, 4])),
    ("PaintRequest.Coats: the range 1 to 3 in the model, none declared", without(COATS, "range")),
    ("PaintRequest.Hours: the range 0 to 1200 in the model, declared 0 to 120", constrained(HOURS, range=[0, 120])),
    ("PaintRequest.Days: the range None to 10 in the model, declared 1 to 11", constrained(DAYS, range=[1, 11])),
    ("PaintRequest.Wall: the length 1 to 80 in the model, declared 0 to 80", constrained(WALL, length=[0, 80])),
    ("PaintRequest.Wall: the pattern [a-z]+ in the model, declared None", without(WALL, "pattern")),
    ("PaintRequest.Colors: the model's values are red, blue, and none are declared", without(COLORS, "allowed")),
    ("PaintRequest.Colors: the model's values blue are not allowed as declared", constrained(COLORS, allowed=["red"])),
    (
        "PaintRequest.Colors: the value green is declared, and the model has none such",
        constrained(COLORS, allowed=["red", "blue", "green"]),
    ),
    ("PaintRequest.Rooms: the length 1 to 9 in the model, declared unbounded", without(ROOMS, "length")),
    (
        "PaintRequest.Rooms[]: the length 1 to 80 in the model, declared 1 to 8",
        constrained(ROOMS, element={"length": [1, 8], "pattern": "[a-z]+"}),
    ),
    (
        "PaintRequest.Rooms[]: the pattern [a-z]+ in the model, declared None",
        constrained(ROOMS, element={"length": [1, 80]}),
    ),
    ("PaintRequest.Notes{}: the length 0 to 10 in the model, declared unbounded", without(NOTES, "element")),
    (
        "PaintRequest.Notes{key}: the length 1 to 80 in the model, declared None to 80",
        constrained(NOTES, key={"length": [None, 80], "pattern": "[a-z]+"}),
    ),
    ("PaintRequest.Ladders: the range 0 to None in the model, declared 0 to 7", constrained(LADDERS, range=[0, 7])),
    ("Paint: the error OutOfPaint is not declared", on_operation(PAINT, errors=[])),
    (
        "Rinse: the error OutOfPaint is declared, and the model does not have it",
        lambda d: d["operations"][RINSE]["errors"].append("decorators#OutOfPaint"),
    ),
    ("the fault table has no OutOfPaint", lambda d: d["faults"].pop(0)),
    ("the fault table has Tired, and the model does not", lambda d: d["faults"].append(TIRED)),
    ("OutOfPaint: the status 403 in the model, declared 400", on_fault(0, status=400)),
    ("OutOfWater: the server's fault in the model, not as declared", on_fault(1, sender=True)),
]

# The same for a model of the Query protocol.
PLANTED_IN_QUERY = [
    ("PaintRequest.Colors: Color in the Query protocol, declared as Colors", on_member(COLORS, query="Colors")),
    ("PaintRequest.Tags: Tag in the Query protocol, declared as Tags", on_member(TAGS, query="Tags")),
    ("PaintRequest.Tags: its key is Key in the Query protocol, declared as Name", on_member(TAGS, key="Name")),
    ("PaintRequest.Brush: Brush in the Query protocol, declared as Broom", with_brush(query="Broom")),
    (
        "PaintRequest.Brush: no known name in the Query protocol, declared as Brush",
        with_brush(type=list_of("string")),
    ),
    (
        "OutOfPaint: the code Decorators.OutOfPaint in the model, declared OutOfPaint",
        on_fault(0, query_code="OutOfPaint"),
    ),
    ("OutOfPaint: the status 403 in the model, declared 400", on_fault(0, status=400)),
]


def self_test():
    def lines_of(declared, query):
        model = Model(SMALL_MODEL | {"metadata": {"protocol": "query" if query else "json"}})
        return Comparison(model, declared, "decorators").run()

    wrong = []
    for query in (False, True):
        if found := lines_of(small_declarations(), query):
            wrong.append(f"reported although nothing is wrong: {found}")
    planted = [(*mistake, False) for mistake in PLANTED] + [(*mistake, True) for mistake in PLANTED_IN_QUERY]
    for line, plant, query in planted:
        declared = copy.deepcopy(small_declarations())
        plant(declared)
        found = lines_of(declared, query)
        if found != [line]:
            wrong.append(f"expected '{line}', and reported was {found}")
    left = without_allowed(["a: one", "b: two"], [(r"a: .*", "meant"), (r"c: .*", "was meant")])
    if left != ["b: two", "allowed, and there is no such difference any more: c: .*"]:
        wrong.append(f"the list of what is allowed does not do: {left}")
    print("\n".join(wrong) if wrong else f"{len(planted)} of {len(planted)} planted differences are reported")
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--declarations", help="the program that prints them")
    parser.add_argument("--service", choices=sorted(ERROR_NAMESPACE))
    parser.add_argument("--models", type=pathlib.Path, help="the folder of models, unless $PENSTOCK_MODELS names one")
    parser.add_argument("--query", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    asked = parser.parse_args()
    if asked.self_test:
        return 0 if self_test() else 1

    if not asked.declarations or not asked.service:
        parser.error("--declarations and --service have to be given")
    if asked.query:
        path = find_query_model(asked.service)
        place = "a botocore that speaks Query"
    else:
        place = pathlib.Path(os.environ.get("PENSTOCK_MODELS") or asked.models or ".")
        path = find_model(place, asked.service)
    if path is None:
        print(f"skipped: the API model of {asked.service} is not there ({place})")
        return SKIPPED
    printed = subprocess.run([asked.declarations, asked.service], stdout=subprocess.PIPE, check=True).stdout
    lines = Comparison(read_model(path), json.loads(printed), ERROR_NAMESPACE[asked.service]).run()
    left = without_allowed(lines, ALLOWED.get(asked.service + " --query" * asked.query, []))
    for line in left:
        print(line)
    plural = "" if len(left) == 1 else "s"
    print(f"{len(left)} difference{plural} from {path}" if left else f"as in {path}, but for what is meant to differ")
    return 1 if left else 0


sys.exit(main())
