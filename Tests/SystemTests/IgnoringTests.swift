import CLinux
import Glibc
import Mount
import System
import Testing

/// S131: what the owner's patterns keep from the group, where the folder is used directly.
@Suite(.timeLimit(.minutes(5))) struct IgnoringTests {
  private func told(_ scene: WatchedFolder) -> Set<String> { Set(scene.group.items.keys) }

  /// Time passes meanwhile, as it does in a program.
  private func waits(_ scene: WatchedFolder, for paths: Set<String>, _ what: String) throws {
    try scene.waitFor(what) {
      scene.volume?.tick()
      return told(scene) == paths
    }
  }

  @Test func `what a pattern is about is not told, until it has another name`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make(".fsharefsignore", "*.tmp\n/build/\n!.DS_Store\n")
    for path in [
      "a", "b.tmp", "build/x", "c/build/y", ".DS_Store", "c/Thumbs.db", ".Trash-1000/files/z",
      "c/d/e",
    ] {
      try scene.make(path, path)
    }
    try scene.start()
    let first: Set = ["a", ".DS_Store", "c", "c/build", "c/build/y", "c/d", "c/d/e"]
    try waits(scene, for: first, "the rest")
    try scene.rename("b.tmp", to: "b")
    try waits(scene, for: first.union(["b"]), "one that is shared now")
    try scene.rename("b", to: "b.tmp")
    try waits(scene, for: first, "one that is not any more")
    try scene.rename("c", to: "c.tmp")
    try waits(scene, for: ["a", ".DS_Store"], "a folder with all that is in it")
    try scene.rename("c.tmp", to: "new")
    let moved: Set = ["a", ".DS_Store", "new", "new/build", "new/build/y", "new/d", "new/d/e"]
    try waits(scene, for: moved, "the same, back")
    // To a pattern with a path it is a matter of where it lies.
    try scene.rename("new/build", to: "built")
    try waits(
      scene, for: ["a", ".DS_Store", "new", "built", "built/y", "new/d", "new/d/e"], "elsewhere")
    scene.stop()
    try scene.start()
    try waits(
      scene, for: ["a", ".DS_Store", "new", "built", "built/y", "new/d", "new/d/e"], "a restart")
    #expect(scene.group.items["b.tmp"] == nil)
  }

  /// Whatever is moved where, by folders too.
  @Test(arguments: 1...6 as ClosedRange<UInt64>) func `random changes end in equality`(
    seed: UInt64
  ) throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make(".fsharefsignore", "d\n/a/b\nb/c/*\n!b/c/a\n")
    scene.isIgnored = { path in
      let names = path.split(separator: "/")
      return path == ".fsharefsignore" || names.contains("d") || names.starts(with: ["a", "b"])
        || names.count > 2 && names.starts(with: ["b", "c"]) && names[2] != "a"
    }
    try scene.start()
    var random = Random(seed)
    for burst in 0..<10 {
      for _ in 0..<Int(random.next(60)) { scene.change(&random) }
      try scene.waitForEquality("seed \(seed), burst \(burst)")
    }
    // What comes last is looked at last: a folder renamed above what a pattern with a path names is
    // otherwise, to the next process, as it was shared.
    try scene.make("last", "")
    try scene.waitForEquality("seed \(seed), the last")
    scene.stop()
    try scene.start()
    try scene.waitForEquality("seed \(seed), restart")
  }

  @Test func `a pattern takes nothing back, over restarts too; what it no longer says is shared`()
    throws
  {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make("x.log", "1")
    try scene.make("logs/1", "1")
    try scene.start()
    try waits(scene, for: ["x.log", "logs", "logs/1"], "all")
    try scene.make(".fsharefsignore", "*.log\nlogs\n")
    try scene.make("y.log", "2")
    try scene.make("logs/2", "2")
    try scene.make("last", "3")
    let before: Set = ["x.log", "logs", "logs/1", "last"]
    try waits(scene, for: before, "what is new goes by the patterns")
    try scene.make("x.log", "11")
    try scene.waitFor("its new content") { scene.group.items["x.log"]?.contains(" 2 ") == true }
    for round in 1...2 {
      scene.stop()
      // Changed while nobody looks, it is the same file still.
      try scene.make("logs/1", "while away \(round)")
      try scene.start()
      try waits(scene, for: before, "restart \(round)")
    }
    // A rename is another name: the pattern is about that, whenever it happened.
    scene.stop()
    try scene.rename("last", to: "last.log")
    try scene.start()
    try waits(scene, for: before.subtracting(["last"]), "renamed while nobody looked")
    try scene.rename("last.log", to: "last")
    try waits(scene, for: before, "renamed back")
    try scene.rename("x.log", to: "z.log")
    try waits(scene, for: before.subtracting(["x.log"]), "renamed")
    scene.stop()
    try scene.start()
    try waits(scene, for: before.subtracting(["x.log"]), "and not shared at the next start")
    unlink(scene.own + "/.fsharefsignore")
    try waits(
      scene, for: ["z.log", "y.log", "logs", "logs/1", "logs/2", "last"], "without patterns")
  }

  /// What is saved by an editor is gone, or empty, for a moment.
  @Test func `a file of patterns that is being saved tells nothing`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make(".fsharefsignore", "*.key\n")
    try scene.make("my.key", "secret")
    try scene.start()
    for round in 0..<3 {
      try scene.make(".fsharefsignore", "")
      try scene.make("between\(round)", "x")
      try scene.waitFor("what is beside it") { told(scene).contains("between\(round)") }
      try scene.rename(".fsharefsignore", to: ".fsharefsignore~")
      try scene.make("your\(round).key", "secret")
      try scene.make("then\(round)", "x")
      try scene.waitFor("what is beside it") { told(scene).contains("then\(round)") }
      try scene.make(".fsharefsignore", "*.key\n*~\n")
    }
    try scene.make("last", "x")
    try scene.waitFor("the last") {
      scene.volume?.tick()
      return told(scene).contains("last")
    }
    #expect(!told(scene).contains { $0.hasSuffix(".key") || $0 == ".fsharefsignore" })
  }

  @Test(arguments: ["pipe", "link", "folder", "socket", "long", "many"])
  func `what is no file of patterns leaves those before`(kind: String) throws {
    var times = WatchTimes()
    times.settling = .milliseconds(200)
    let scene = try WatchedFolder(times)
    defer { scene.end() }
    let file = scene.own + "/.fsharefsignore"
    try scene.make(".fsharefsignore", "*.tmp\n")
    try scene.make("a.tmp", "x")
    try scene.start()
    unlink(file)
    switch kind {
    case "pipe": mkfifo(file, 0o600)
    case "link":
      try scene.make("patterns", "*.other\n")
      symlink("patterns", file)
    case "folder": mkdir(file, 0o700)
    case "socket": mknod(file, S_IFSOCK | 0o600, 0)
    case "long": try scene.make(".fsharefsignore", String(repeating: "#\n", count: 600_000))
    default: try scene.make(".fsharefsignore", String(repeating: "a\n", count: 200_000))
    }
    try scene.make("b.tmp", "x")
    try scene.make("c.other", "x")
    try scene.waitFor("the other") { told(scene).contains("c.other") }
    // For as long as what a file says no more goes on to count.
    let end = MonotonicClock.now + times.settling + .milliseconds(100)
    try scene.waitFor("that time is over") {
      scene.volume?.tick()
      return MonotonicClock.now > end
    }
    try scene.make("d", "x")
    try scene.waitFor("the last") { told(scene).contains("d") }
    #expect(told(scene).isDisjoint(with: ["a.tmp", "b.tmp", ".fsharefsignore"]))
    if kind == "folder" { rmdir(file) } else { unlink(file) }
    try scene.make(".fsharefsignore", "*.new\n")
    try scene.make("e.new", "x")
    try scene.waitFor("a file again") {
      scene.volume?.tick()
      return told(scene).isSuperset(of: ["a.tmp", "b.tmp"])
    }
    #expect(!told(scene).contains("e.new"))
  }
}
