import Core
import Fuzzer
import Protocol
import Sealing
import System

/// The namespace of a member that hears of every change of the list, in any order, while its kernel
/// looks up, moves and forgets. Where the list has nothing any more, nothing shows.
private struct Scene {
  private var tree: Tree
  private var replica = Replica(order: ListOrder(epoch: 1, seq: 0), hash: ListHash.sha256)
  private var draw: TestGenerator

  init(_ input: [UInt8]) {
    draw = TestGenerator(input: input)
    let key = [UInt8](repeating: 1, count: FileNumbers.keyLength)
    guard let top = try? Stat(path: "/"), let numbers = FileNumbers(key: key, home: 1) else {
      preconditionFailure("there is a root, and the key has its length")
    }
    tree = Tree(now: FileTime(seconds: 0), own: top, numbers: numbers)
  }

  mutating func run() {
    var steps = 0
    while draw.hasInput, steps < 300 {
      steps += 1
      step()
    }
    for listed in replica.list.sorted {
      guard let shown = tree.node(at: listed.entry.path) else { continue }
      precondition(tree.path(of: shown) == listed.entry.path, "a node is where it is found")
    }
    for listed in replica.list.sorted { tree.remove(.other(listed.key), now: draw.fileTime()) }
    precondition(tree.root.children.isEmpty, "what nobody has does not show")
  }

  private mutating func step() {
    switch draw.below(8) {
    case 0:
      if let node = tree.node(at: draw.path()) { tree.remember(node) }
    case 1: _ = tree.forget(draw.next() % 64, count: draw.next())
    case 2: _ = tree.takeInvalidations()
    case 3: tree.forgetContents(of: draw.below(2) == 0 ? nil : someone())
    default: change()
    }
  }

  private mutating func change() {
    let change: Change =
      switch draw.below(6) {
      case 0: .removed(draw.randomID())
      case 1: .renamed(draw.randomID(), to: draw.path(), rejection: nil)
      case 2: .released(someone())
      default: .added((0..<(1 + draw.below(4))).map { _ in draw.entry() }, rejected: [])
      }
    let ordered = replica.placed(
      change, from: someone(), TransferID(incarnation: 1, counter: replica.order.seq + 1))
    guard let bytes = try? ordered.message().encoded(), let message = try? Message(decoding: bytes),
      let came = try? OrderedChange.decode(message)
    else { return }
    let deltas = replica.apply(came)
    _ = tree.growths(in: deltas)
    _ = tree.withhold(deltas)
    for delta in deltas {
      switch delta {
      case .upserted(let listed):
        tree.upsert(
          listed.entry, owner: listed.owner, claimed: listed.claimed, now: draw.fileTime())
      case .removed(let listed): tree.remove(.other(listed.key), now: draw.fileTime())
      }
    }
    tree.releaseNames()
  }

  private mutating func someone() -> PublicID { PublicID(UInt32(1 + draw.below(4))) }
}

private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var scene = Scene(input(start, count))
  scene.run()
  return 0
}

fuzz(fuzzOne)
