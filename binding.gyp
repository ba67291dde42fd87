# What `npm run build:native` makes, all of it inside build/: the BPF objects (build/bpf/<name>.bpf.o) and the addon
# (build/Release/ipvigil.node). deploy/build/compile-bpf.sh holds the compiler flags for BPF and the choice of compiler.
{
  "targets": [
    {
      "target_name": "bpf_objects",
      "type": "none",
      "sources": [
        "bpf/wire.bpf.c",
        "bpf/audit.bpf.c",
        "bpf/link.bpf.c",
        "bpf/outcome.bpf.c",
        "test/addon/addon_fixture.bpf.c",
        "test/bench/bench_empty.bpf.c",
      ],
      "rules": [
        {
          "rule_name": "compile_bpf",
          "extension": "c",
          "inputs": [
            "deploy/build/compile-bpf.sh",
            "<!@(ls bpf/*.h)",
          ],
          "outputs": ["<(PRODUCT_DIR)/../bpf/<(RULE_INPUT_ROOT).o"],
          "action": ["deploy/build/compile-bpf.sh", "<(RULE_INPUT_PATH)", "<@(_outputs)"],
          "message": "BPF <(RULE_INPUT_PATH)",
        },
      ],
    },
    {
      "target_name": "ipvigil",
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "sources": [
        "src/addon/native/addon.cc",
        "src/addon/native/bpf_attach.cc",
        "src/addon/native/bpf_map.cc",
        "src/addon/native/bpf_object.cc",
        "src/addon/native/clsact_filter.cc",
        "src/addon/native/error.cc",
        "src/addon/native/libbpf_log.cc",
        "src/addon/native/link.cc",
        "src/addon/native/marked_connection.cc",
        "src/addon/native/marked_socket.cc",
        "src/addon/native/netlink_socket.cc",
        "src/addon/native/packet_socket.cc",
        "src/addon/native/ring_reader.cc",
        "src/addon/native/watch.cc",
      ],
      # A worker that is terminated makes every call into JavaScript fail; without the second define that aborts the process.
      "defines": ["NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags": ["<!@(pkg-config --cflags 'libbpf >= 1.1')", "-Wall", "-Wextra"],
      "cflags_cc!": ["-std=gnu++14", "-std=gnu++20"],
      "cflags_cc": ["-std=gnu++17"],
      "libraries": ["<!@(pkg-config --libs 'libbpf >= 1.1')"],
    },
  ],
}
