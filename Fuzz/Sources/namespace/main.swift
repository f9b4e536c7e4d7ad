import Core
import Fuzzer
import Protocol
import Sealing
import System

/// The namespace of a member that hears of every change of the list, in any order, while its kernel
/// looks up, lists, and forgets, and members go and come back. What it shows is what the list has
/// of those who are there, whatever of it were nodes before.
private struct Scene {
  private var tree: Tree
  private var gone: Set<PublicID> = []
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
    check()
    let all = replica.list.sorted
    replica = Replica(order: replica.order, hash: ListHash.sha256)
    tell(all.map { .removed($0) })
    precondition(tree.root.children.isEmpty, "what nobody has does not show")
  }

  /// Whether exactly those names show that lead to an entry.
  private mutating func check() {
    var names: Set<SharePath> = []
    for listed in replica.list.sorted where !gone.contains(listed.owner) {
      var path: SharePath? = listed.entry.path
      while let one = path, names.insert(one).inserted { path = one.parent }
    }
    for name in names {
      guard let node = tree.node(at: name) else { preconditionFailure("\(name) does not show") }
      precondition(tree.path(of: node) == name, "a node is where it is found")
    }
    var directories = [tree.root]
    var shown = 0
    while let directory = directories.popLast() {
      let links = directory.links
      let slots = directory.children.all
      shown += slots.count
      let below = slots.values.map(\.node).filter { $0.kind == .directory }
      precondition(links == 2 + below.count, "st_nlink of a directory counts those in it")
      directories += below
    }
    precondition(shown == names.count, "\(shown) names show, of \(names.count)")
  }

  private mutating func step() {
    switch draw.below(13) {
    case 0, 4:
      if let node = tree.node(at: draw.path()) { tree.remember(node) }
    case 5:
      if let directory = tree.node(at: draw.path()) { _ = directory.children.all }
    case 8:
      _ = (tree.node(at: draw.path()) ?? tree.root).links
    case 6: tree.quiesce(tree.takeIdle()[...])
    case 7: comesOrGoes()
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
    tell(
      deltas.filter { delta in
        switch delta {
        case .upserted(let listed), .removed(let listed): !gone.contains(listed.owner)
        }
      })
  }

  /// Somebody goes, or comes back: as one step, or as a list taken anew.
  private mutating func comesOrGoes() {
    let owner = someone()
    let isBack = gone.remove(owner) != nil
    if !isBack { gone.insert(owner) }
    let entries = replica.list.entries(ownedBy: owner)
    let isWhole = draw.below(3) == 0
    tell(isWhole ? nil : entries.map { isBack ? .upserted($0) : .removed($0) })
  }

  private mutating func tell(_ deltas: [ListDelta]?) {
    let view = ListView(replica.list, own: nil, gone: gone)
    _ = tree.growths(in: deltas ?? [])
    _ = tree.makeUncacheable(deltas ?? [])
    tree.apply(deltas, showing: view, now: draw.fileTime())
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
