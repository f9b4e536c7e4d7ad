// swift-tools-version: 6.2
import PackageDescription

/// Coverage for libFuzzer, and AddressSanitizer, in everything that decodes,
/// and in what applies it.
let fuzzed: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
  .unsafeFlags(["-Xcc", "-D_GNU_SOURCE", "-sanitize=fuzzer,address"]),
]

/// One program per decoder, and per state machine.
func fuzzer(
  _ name: String, _ dependencies: [Target.Dependency], without excluded: [String] = []
) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, exclude: excluded,
    swiftSettings: fuzzed,
    // gold stops with an internal error on instrumented objects.
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
}

let package = Package(
  name: "Fuzz",
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    // The folders below are links to the product's own: built here once more, with instruments.
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl"),
    .target(name: "Protocol", swiftSettings: fuzzed),
    .target(
      name: "Sealing",
      dependencies: ["Protocol", "COpenSSL", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: fuzzed),
    .target(
      name: "System",
      dependencies: [
        "CLinux", .product(name: "Logging", package: "swift-log"),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: fuzzed),
    .target(
      name: "Control",
      dependencies: ["Protocol", "System", .product(name: "Logging", package: "swift-log")],
      swiftSettings: fuzzed),

    .target(
      name: "Core",
      dependencies: ["Protocol", .product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: fuzzed),

    .systemLibrary(name: "CFuzzer"),
    .target(name: "Fuzzer", dependencies: ["CFuzzer"], swiftSettings: fuzzed),
    fuzzer("messages", ["Fuzzer", "Protocol"]),
    fuzzer("frames", ["Fuzzer", "Protocol"]),
    fuzzer("bodies", ["Fuzzer", "Protocol", "Sealing"]),
    fuzzer("invites", ["Fuzzer", "Protocol"]),
    fuzzer("names", ["Fuzzer", "Protocol"]),
    fuzzer("control", ["Fuzzer", "Control"]),
    // These also apply what they have decoded.
    fuzzer("hub", ["Fuzzer", "Protocol", "Core"]),
    fuzzer("master", ["Fuzzer", "Protocol", "Core", "Sealing"]),
    fuzzer("member", ["Fuzzer", "Protocol", "Core", "Sealing"]),
    // The tree is built into it, but for what only the volume asks of it.
    fuzzer(
      "namespace", ["Fuzzer", "Protocol", "Core", "Sealing", "System", "CLinux"],
      without: ["Tree/NodeVersions.swift"]),
  ],
  swiftLanguageModes: [.v6]
)
