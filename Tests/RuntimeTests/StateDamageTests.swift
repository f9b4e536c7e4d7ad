import Glibc
import Protocol
import Runtime
import State
import System
import Testing

/// S94: what a disk, a crash or yesterday's version makes of the files of the state folder.
struct StateDamageTests {
  private let place: TemporaryFolder
  private var folder: String { place.path + "/state" }

  init() throws {
    place = try TemporaryFolder()
    try File.makeDirectories(folder, mode: 0o700)
  }

  @Test(arguments: StateScene.precious)
  func `a file with any bit flipped stops the start by name, and stays as it is`(
    scene: StateScene
  ) throws {
    try scene.write(folder)
    let good = try #require(bytes(scene.path(folder)))
    var draws = SeededDraws(state: 12)
    // Each byte of the head, where most can go wrong, and as many of the rest as there is time for.
    let places =
      Array(0..<min(80, good.count))
      + (0..<60).map { _ in
        Int.random(in: 0..<good.count, using: &draws)
      }
    for place in places {
      var damaged = good
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &draws)
      try put(damaged, scene.path(folder))
      let said = refusal { _ = try scene.read(folder) }
      #expect(said?.contains(scene.path(folder)) == true, "byte \(place): \(said ?? "read")")
      #expect(said?.contains(": ") == true && said?.contains("\n") == false)
      #expect(bytes(scene.path(folder)) == damaged, "byte \(place)")
    }
    try put(good, scene.path(folder))
    #expect(refusal { _ = try scene.read(folder) } == nil)
  }

  @Test(arguments: StateScene.precious)
  func `a file that is cut stops the start, unless a crash can have cut it so`(
    scene: StateScene
  ) throws {
    try scene.write(folder)
    let good = try #require(bytes(scene.path(folder)))
    let whole = try scene.read(folder)
    for length in 0..<good.count {
      try put(Array(good[..<length]), scene.path(folder))
      var seen: String?
      let said = refusal { seen = try scene.read(folder) }
      #expect(seen != whole)
      let header = good.firstIndex(of: 10)!
      // The registry is a log: what a crash leaves of its end had not been told to anybody.
      if scene.kind == .registry, length > header {
        #expect(said == nil, "at \(length): \(said ?? "")")
      } else {
        #expect(said?.contains(scene.path(folder)) == true, "at \(length): \(said ?? "read")")
        #expect(bytes(scene.path(folder))?.count == length)
      }
    }
  }

  @Test(arguments: StateScene.precious + StateScene.cheap)
  func `a file of a later format is refused and never erased`(scene: StateScene) throws {
    try scene.write(folder)
    let good = try #require(bytes(scene.path(folder)))
    let later = newer(scene.kind, good, isLog: scene.kind == .registry)
    try put(later, scene.path(folder))
    let said = refusal { _ = try scene.read(folder) }
    #expect(said?.contains("format 3") == true && said?.contains(scene.path(folder)) == true)
    #expect(bytes(scene.path(folder)) == later)
  }

  @Test(arguments: StateScene.cheap)
  func `what costs nothing to lose is made anew where it is damaged`(scene: StateScene) throws {
    try scene.write(folder)
    let good = try #require(bytes(scene.path(folder)))
    var draws = SeededDraws(state: 7)
    for place in good.indices {
      var damaged = good
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &draws)
      try put(damaged, scene.path(folder))
      #expect(refusal { _ = try scene.read(folder) } == nil, "byte \(place)")
      try put(Array(good[..<place]), scene.path(folder))
      #expect(refusal { _ = try scene.read(folder) } == nil, "cut at \(place)")
    }
  }

  @Test func `a number for a run grows however the file is`() throws {
    let first = try openState(folder).nextIncarnation()
    try put([1, 2, 3], folder + "/incarnation")
    let second = try openState(folder).nextIncarnation()
    #expect(second >> 20 >= first >> 20)
    try StateFile.write(.incarnation, folder + "/incarnation", Array("\(UInt64.max)".utf8))
    #expect(try openState(folder).nextIncarnation() == .max)
  }

  @Test(arguments: StateScene.precious)
  func `what is no file at all is not waited for`(scene: StateScene) throws {
    #expect(mkfifo(scene.path(folder), 0o600) == 0)
    let said = refusal { _ = try scene.read(folder) }
    #expect(said?.contains(scene.path(folder)) == true)
  }

  @Test func `what a process left that died while it wrote is removed, and nothing else`() throws {
    let state = try openState(folder)
    _ = try state.identity()
    for name in ["key.new-12ab", "vault.new-ffffffffffffffff", "mine.new-1", "key.new-x"] {
      try put([1], "\(folder)/\(name)")
    }
    StateFile.removeLeftovers(in: folder)
    #expect(bytes(folder + "/key.new-12ab") == nil)
    #expect(bytes(folder + "/vault.new-ffffffffffffffff") == nil)
    #expect(bytes(folder + "/mine.new-1") != nil && bytes(folder + "/key.new-x") != nil)
    #expect(bytes(folder + "/key") != nil)
  }
}
