"""Holds every #include, and a few names, against the directions in which the layers may look.

    check_layers.py              checks this checkout
    check_layers.py --self-test  plants one violation of each kind in a copy and expects each to be reported
"""

import pathlib
import re
import shutil
import sys
import tempfile

# What a layer may include besides itself, the standard library and include/penstock. `server` wires everything.
LAYERS = {
    "include": set(),
    "core": set(),
    "storage": set(),
    "protocol": set(),
    "runner": set(),
    "net": {"protocol"},
    "client": {"protocol"},
    # Besides understanding requests, it asks the engine for its rules of single resources, which need no state.
    "config": {"protocol", "core"},
    # Copies of data, and looks at them, with no server at work.
    "state": {"storage", "runner", "protocol"},
    "cli": {"client", "config", "state", "protocol"},
    # Its main hands every command but `serve` to cli.
    "server": {"net", "protocol", "runner", "storage", "state", "config", "core", "cli"},
}

# Which libraries a layer may include, as prefixes of what stands between the brackets.
LIBRARIES = {
    "include": [],
    "core": [],
    "storage": ["rocksdb/", "flatbuffers/"],
    "protocol": ["immintrin.h", "simdjson.h", "rapidjson/", "pugixml.hpp", "openssl/", "boost/url", "zlib.h"],
    "runner": ["boost/asio", "boost/beast", "boost/system/", "boost/optional/", "openssl/", "simdjson.h", "zlib.h"],
    "net": ["boost/asio", "boost/beast", "boost/system/", "nghttp2/", "openssl/"],
    "client": ["boost/asio", "boost/beast", "boost/system/", "boost/url"],
    "config": ["yaml-cpp/", "rapidjson/", "simdjson.h"],
    "state": ["openssl/"],
    "cli": ["cxxopts.hpp"],
    "server": ["boost/asio", "boost/beast", "boost/system/", "cxxopts.hpp", "spdlog/", "fmt/", "rapidjson/",
               "prometheus/"],
}

# Layers that talk to the kernel, and so may include its headers.
SYSTEM_LAYERS = {"storage", "runner", "net", "client", "state", "cli", "server"}

# What only certain files may name or include, whatever their layer. The pattern is sought in lines without comments.
RESERVED = [
    (re.compile(r"\brocksdb::|<rocksdb/"), re.compile(r"src/storage/rocksdb_store(_\w+)?\.(cpp|hpp)"), "RocksDB"),
    (re.compile(r"<flatbuffers/|_generated\.h\"|\bflatbuffers::"), re.compile(r"src/storage/((stream_|group_|trigger_)?records\.cpp|flat_records\.hpp)"), "flatbuffers"),
    # Instructions of the processor: no layer's business but where a hot loop needs them.
    (re.compile(r"<immintrin\.h>|\b_mm_"), re.compile(r"src/protocol/base64\.cpp"), "vector instructions"),
    (re.compile(r"\bYAML::|<yaml-cpp/"), re.compile(r"src/config/yaml\.cpp"), "yaml-cpp"),
    (re.compile(r"\bprometheus::|<prometheus/"), re.compile(r"src/server/metric_families\.(cpp|hpp)"), "prometheus-cpp"),
    (re.compile(r"\bnghttp2_|<nghttp2/"), re.compile(r"src/net/http2_\w+\.(cpp|hpp)"), "nghttp2"),
]

STANDARD = set(
    """algorithm any array atomic barrier bit bitset cassert ccomplex cctype cerrno cfenv cfloat charconv chrono cinttypes
    climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef
    cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list
    fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map
    memory memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view
    syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
    variant vector version""".split()
)
SYSTEM = re.compile(r"(sys|netinet|arpa|linux)/\w+\.h|(unistd|fcntl|time|poll|signal|pthread|sched|netdb|spawn|dirent|termios)\.h")
INCLUDE = re.compile(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]")


def lines_without_comments(text):
    """The lines of a source with comments blanked; strings that look like comments do not occur in includes."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return [line.split("//")[0] if not INCLUDE.match(line) else line for line in text.splitlines()]


def fault_of_include(layer, bracket, target):
    """Why a file of `layer` may not include `target`, or None."""
    if bracket == '"':
        first = target.split("/")[0]
        if first == "penstock" or target.endswith("_generated.h"):
            return None
        if "/" not in target or first not in LAYERS:
            return f'"{target}" names no layer: includes start at src/ or include/'
        if first == layer or first in LAYERS[layer]:
            return None
        return f"{layer} may not look at {first}"
    if target in STANDARD:
        return None
    if SYSTEM.fullmatch(target):
        return None if layer in SYSTEM_LAYERS else f"{layer} may not talk to the operating system (<{target}>)"
    if any(target.startswith(prefix) for prefix in LIBRARIES[layer]):
        return None
    return f"{layer} may not include <{target}>"


def faults_of_file(root, path):
    name = path.relative_to(root).as_posix()
    layer = "include" if name.startswith("include/") else name.split("/")[1]
    if layer not in LAYERS:
        yield f"{name}: src/{layer} is not in the table of {pathlib.Path(__file__).name}"
        return
    for number, line in enumerate(lines_without_comments(path.read_text()), 1):
        found = INCLUDE.match(line)
        if found:
            fault = fault_of_include(layer, *found.groups())
            if fault:
                yield f"{name}:{number}: {fault}"
        for pattern, owner, what in RESERVED:
            if pattern.search(line) and not owner.fullmatch(name):
                yield f"{name}:{number}: {what} may be named only in {owner.pattern}"


def faults_of(root):
    for folder in ("include", "src"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".h"):
                yield from faults_of_file(root, path)


def self_test(root):
    planted = {
        "include/penstock/planted_library.hpp": "#include <boost/asio.hpp>\n",
        "include/penstock/planted_layer.hpp": '#include "core/uuid.hpp"\n',
        "include/penstock/planted_system.hpp": "#include <unistd.h>\n",
        "src/core/planted_storage.cpp": '#include "storage/keys.hpp"\n',
        "src/core/planted_system.cpp": "#include <sys/socket.h>\n",
        "src/storage/planted_core.cpp": '#include "core/uuid.hpp"\n',
        "src/storage/planted_rocksdb.cpp": "rocksdb::DB* db = nullptr;\n",
        "src/storage/planted_records.cpp": '#include "records_generated.h"\n',
        "src/protocol/planted_asio.cpp": "  #  include <boost/asio/io_context.hpp>\n",
        "src/protocol/planted_net.cpp": '#include "net/session.hpp"\n',
        "src/net/planted_server.cpp": '#include "server/shard.hpp"\n',
        "src/client/planted_net.cpp": '#include "net/session.hpp"\n',
        "src/client/planted_core.cpp": '#include "core/uuid.hpp"\n',
        "src/config/planted_client.cpp": '#include "client/api.hpp"\n',
        "src/config/planted_yaml.cpp": "YAML::Node node;\n",
        "src/cli/planted_server.cpp": '#include "server/options.hpp"\n',
        "src/cli/planted_asio.cpp": "#include <boost/asio/io_context.hpp>\n",
        "src/server/planted_relative.cpp": '#include "../core/uuid.hpp"\n',
        "src/elsewhere/planted_folder.cpp": "#include <vector>\n",
    }
    innocent = {
        "src/core/innocent.cpp": '// rocksdb::DB, "storage/keys.hpp"\n#include <vector>\n#include "penstock/ids.hpp"\n',
        "src/net/innocent.cpp": '#include <sys/socket.h>\n#include "protocol/wire.hpp"\n',
    }
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        for part in ("include", "src"):
            shutil.copytree(root / part, copy / part)
        for name, text in (planted | innocent).items():
            (copy / name).parent.mkdir(exist_ok=True)
            (copy / name).write_text("#pragma once\n" + text)
        reported = {fault.split(":")[0] for fault in faults_of(copy)}
    missed = [name for name in planted if name not in reported]
    wronged = [name for name in innocent if name in reported]
    for name in missed:
        print(f"a planted violation was not reported: {name}: {planted[name].strip()}")
    for name in wronged:
        print(f"reported although nothing is wrong with it: {name}")
    print(f"{len(planted) - len(missed)} of {len(planted)} planted violations reported")
    return not missed and not wronged


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    if "--self-test" in sys.argv[1:]:
        return 0 if self_test(root) else 1
    faults = list(faults_of(root))
    print("\n".join(faults) if faults else "all includes follow the layers")
    return 1 if faults else 0


sys.exit(main())
