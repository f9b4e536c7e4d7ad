// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: warnings are errors, imports are private unless said otherwise,
/// and `_GNU_SOURCE` is defined the same way for every target that imports libc (never in a shim).
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
  .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
]

/// Settings of tests that wait more than they work: they are compiled in a third of the time.
let unhurried: [SwiftSetting] = strict + [.unsafeFlags(["-Onone"])]

/// Settings of the targets that may not contain unsafe code at all.
let strictAndSafe: [SwiftSetting] = strict + [.strictMemorySafety()]

/// Set by `make fuzz`: what is fuzzed is built once more, with instruments, in the place of all
/// else.
let isFuzzing = Context.environment["FSHAREFS_FUZZ"] != nil

/// The Swift runtime is inside the programs, so that they run where no toolchain is, and where the
/// one of whoever built them cannot be read. What Foundation's archives need they say only to
/// sources that are compiled for it; so everything else is compiled as for the tests, once.
let selfContained: [LinkerSetting] = [
  .unsafeFlags(["-static-stdlib"]), .linkedLibrary("_FoundationCollections"),
  .linkedLibrary("_FoundationCShims"),
]

let programs = ["fsharefs", "fshare-hub", "fsharectl", "fshare-simulate"]

/// What the product is made of, and its tests.
let rooms: [Target] = [
  // C libraries.
  .systemLibrary(
    name: "CFuse", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev", "fuse3"])]),
  .systemLibrary(
    name: "CWebSockets", pkgConfig: "libwebsockets", providers: [.apt(["libwebsockets-dev"])]),
  .systemLibrary(
    name: "CQRCode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
  .systemLibrary(
    name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
  .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(name: "CLinux"),

  // The rooms of the house, lowest first. An arrow never points upwards.
  .target(name: "Protocol", swiftSettings: strictAndSafe),
  .target(
    name: "Core",
    dependencies: [
      "Protocol", .product(name: "DequeModule", package: "swift-collections"),
      .product(name: "BitCollections", package: "swift-collections"),
    ],
    swiftSettings: strictAndSafe),
  .target(
    name: "Sealing",
    dependencies: [
      "Protocol", .product(name: "Crypto", package: "swift-crypto"),
    ],
    swiftSettings: strict),
  .target(
    name: "System",
    dependencies: [
      "CLinux", .product(name: "Logging", package: "swift-log"),
      .product(name: "DequeModule", package: "swift-collections"),
    ],
    swiftSettings: strict),
  .target(
    name: "State",
    dependencies: ["Protocol", "Sealing", "System", "COpenSSL"],
    swiftSettings: strict),
  .target(
    name: "Transport",
    dependencies: [
      "Protocol", "System", "CWebSockets", "COpenSSL",
      .product(name: "DequeModule", package: "swift-collections"),
      .product(name: "Logging", package: "swift-log"),
    ],
    swiftSettings: strict),
  .target(
    name: "Mount",
    dependencies: [
      "Protocol", "Core", "Sealing", "State", "System", "CFuse", "CLinux",
      .product(name: "Logging", package: "swift-log"),
      .product(name: "DequeModule", package: "swift-collections"),
    ],
    swiftSettings: strict),
  .target(
    name: "Control",
    dependencies: [
      "Protocol", "System", "CLinux", "CQRCode", .product(name: "Logging", package: "swift-log"),
    ],
    swiftSettings: strict),
  .target(
    name: "Window",
    dependencies: [
      "Protocol", "State", "System", "Transport", "Control", "CArchive", "CLinux",
      .product(name: "Crypto", package: "swift-crypto"),
      .product(name: "Logging", package: "swift-log"),
    ],
    resources: [.embedInCode("Page")],
    swiftSettings: strict),
  .target(
    name: "Runtime",
    dependencies: [
      "Protocol", "Core", "Sealing", "State", "System", "Transport", "Mount", "Control", "Window",
      "CLinux",
      .product(name: "Logging", package: "swift-log"),
      .product(name: "CoreMetrics", package: "swift-metrics"),
      .product(name: "TOMLKit", package: "TOMLKit"),
      .product(name: "DequeModule", package: "swift-collections"),
    ],
    swiftSettings: strict),

  .target(
    name: "HubArguments",
    dependencies: [
      "Core", "Runtime", "Transport",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: strict),

  // Programs.
  .executableTarget(
    name: "fsharefs",
    dependencies: [
      "HubArguments", "Runtime", "System", "Transport", "Protocol", "Window",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Logging", package: "swift-log"),
    ],
    swiftSettings: strict, linkerSettings: selfContained),
  .executableTarget(
    name: "fshare-hub",
    dependencies: [
      "HubArguments", "Runtime", "State", "System", "Transport", "Protocol",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Logging", package: "swift-log"),
    ],
    swiftSettings: strict, linkerSettings: selfContained),
  .executableTarget(
    name: "fsharectl",
    dependencies: [
      "Control", "Protocol", "State", "System", "CLinux",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: strict, linkerSettings: selfContained),

  // Tests and what they stand on.
  .target(
    name: "Simulation",
    dependencies: [
      "Protocol", "Core", .product(name: "DequeModule", package: "swift-collections"),
    ],
    path: "Tests/Simulation",
    swiftSettings: strict),
  .executableTarget(
    name: "fshare-simulate",
    dependencies: [
      "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    path: "Tests/fshare-simulate",
    swiftSettings: strict),
  .target(
    name: "Hostile", dependencies: ["Protocol", "Sealing", "System", "CLinux"],
    path: "Tests/Hostile",
    swiftSettings: strict),
  .executableTarget(
    name: "fshare-liar",
    dependencies: [
      "Hostile", "Protocol", "System",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    path: "Tests/fshare-liar",
    swiftSettings: strict),
  .executableTarget(
    name: "fshare-crowd",
    dependencies: [
      "Hostile", "Protocol", "Sealing", "System", "Transport", "Control", "CLinux",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    path: "Tests/fshare-crowd",
    swiftSettings: strict),
  .testTarget(name: "ProtocolTests", dependencies: ["Protocol"], swiftSettings: strict),
  .testTarget(
    name: "CoreTests", dependencies: ["Core", "Protocol", "Simulation"], swiftSettings: strict),
  .testTarget(
    name: "SealingTests", dependencies: ["Sealing", "Protocol"], swiftSettings: strict),
  .testTarget(
    name: "RuntimeTests",
    dependencies: [
      "Runtime", "State", "Sealing", "Transport", "Protocol", "System", "Core", "Control",
      .product(name: "Logging", package: "swift-log"),
      .product(name: "CoreMetrics", package: "swift-metrics"),
      .product(name: "TOMLKit", package: "TOMLKit"),
    ],
    swiftSettings: unhurried),
  .testTarget(
    name: "SystemTests",
    dependencies: [
      "System", "Transport", "Control", "Core", "Mount", "Sealing", "Protocol", "CLinux",
      .product(name: "Logging", package: "swift-log"),
    ],
    swiftSettings: unhurried),
  .testTarget(
    name: "EndToEndTests",
    dependencies: [
      "Hostile", "System", "Control", "Runtime", "Transport", "Protocol", "Sealing", "State",
      "CLinux",
    ],
    swiftSettings: unhurried),
]

let package = Package(
  name: "fsharefs",
  products: isFuzzing ? [] : programs.map { .executable(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: isFuzzing ? fuzzTargets() : rooms,
  swiftLanguageModes: [.v6]
)

// MARK: - Fuzzing

/// Under names of their own, so that they lie beside what the product is built of, and what both
/// stand on is built once.
func fuzzed(_ module: String) -> String { "Fuzzed\(module)" }

/// Coverage for libFuzzer, and AddressSanitizer, in everything that decodes, and in what applies
/// it.
func instruments() -> [SwiftSetting] {
  let modules = ["Protocol", "Sealing", "System", "Control", "Core"]
  return [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    .unsafeFlags(
      ["-Xcc", "-D_GNU_SOURCE", "-sanitize=fuzzer,address"]
        + modules.flatMap { ["-module-alias", "\($0)=\(fuzzed($0))"] }),
  ]
}

/// A room of the house, with instruments.
func instrumented(_ module: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: fuzzed(module), dependencies: dependencies, path: "Sources/\(module)",
    swiftSettings: instruments())
}

/// One program per decoder, and per state machine.
func fuzzer(
  _ name: String, _ modules: [String], _ others: [Target.Dependency] = [],
  without excluded: [String] = []
) -> Target {
  .executableTarget(
    name: "fuzz-\(name)",
    dependencies: ["Fuzzer"] + modules.map { .target(name: fuzzed($0)) } + others,
    path: "Fuzz/Sources/\(name)", exclude: excluded, swiftSettings: instruments(),
    // gold stops with an internal error on instrumented objects.
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
}

func fuzzTargets() -> [Target] {
  let deques = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
  let bits = Target.Dependency.product(name: "BitCollections", package: "swift-collections")
  let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
  let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
  func room(_ module: String) -> Target.Dependency { .target(name: fuzzed(module)) }
  return [
    .systemLibrary(name: "CLinux"),
    .systemLibrary(
      name: "CQRCode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(name: "CFuzzer", path: "Fuzz/Sources/CFuzzer"),
    .target(
      name: "Fuzzer", dependencies: ["CFuzzer"], path: "Fuzz/Sources/Fuzzer",
      swiftSettings: instruments()),
    instrumented("Protocol", []),
    instrumented("Sealing", [room("Protocol"), crypto]),
    instrumented("System", ["CLinux", logging, deques]),
    instrumented("Control", [room("Protocol"), room("System"), "CLinux", "CQRCode", logging]),
    instrumented("Core", [room("Protocol"), deques, bits]),
    fuzzer("messages", ["Protocol"]),
    fuzzer("frames", ["Protocol"]),
    fuzzer("bodies", ["Protocol", "Sealing"]),
    fuzzer("invites", ["Protocol"]),
    fuzzer("names", ["Protocol"]),
    fuzzer("control", ["Control"]),
    // These also apply what they have decoded.
    fuzzer("hub", ["Protocol", "Core"]),
    fuzzer("master", ["Protocol", "Core", "Sealing"]),
    fuzzer("member", ["Protocol", "Core", "Sealing"]),
    // The tree is built into it, but for what only the kernel asks of it.
    fuzzer(
      "namespace", ["Protocol", "Core", "Sealing", "System"], ["CLinux"],
      without: [
        "Namespace/Namespace.swift", "Namespace/Lookups.swift", "Namespace/NodeReplies.swift",
      ]),
  ]
}
