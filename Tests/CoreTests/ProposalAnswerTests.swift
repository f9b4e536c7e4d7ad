import Core
import Protocol
import Testing

/// Every proposal gets an answer, whatever is in it, and what follows it is heard.
struct ProposalAnswerTests {
  private var master: Master

  init() {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .waiting)], now: .zero, into: &actions)
    _ = master.approve(alice, into: &actions)
    self.master = master
  }

  private static func transfer(_ counter: UInt64) -> TransferID {
    TransferID(incarnation: 7, counter: counter)
  }

  private mutating func hear(_ message: Message) -> [MasterAction] {
    var actions: [MasterAction] = []
    #expect(master.received(message, from: alice, now: .zero, into: &actions))
    return actions
  }

  private mutating func propose(_ change: ProposedChange, _ counter: UInt64) -> [MasterAction] {
    hear(change.message(Self.transfer(counter), oldest: counter))
  }

  private func published(_ actions: [MasterAction]) -> OrderedChange? {
    actions.compactMap { if case .publish(let ordered) = $0 { ordered } else { nil } }.first
  }

  /// As no honest member would send it.
  private static func impossible(_ number: UInt64) -> [Entry] {
    let good = entry(number, "x")
    func odd(
      _ kind: EntryKind, size: UInt64 = 0, target: [UInt8] = [], beginning: Version? = nil
    ) -> Entry {
      Entry(
        id: good.id, path: good.path, kind: kind, version: good.version, size: size,
        modified: good.modified, mode: 0o644, target: target, beginning: beginning)
    }
    return [
      odd(.symlink), odd(.symlink, target: Array("/etc".utf8)), odd(.file, size: 1 << 63),
      odd(.file, target: [0x78]), odd(.directory, size: 1),
      odd(.file, beginning: good.version),
    ]
  }

  @Test(arguments: 0..<6)
  mutating func `an entry that cannot be is refused by itself`(_ place: Int) throws {
    let odd = Self.impossible(5)[place]
    let actions = propose(.add([entry(1, "a"), odd, entry(2, "b")], reclaims: false), 1)
    let ordered = try #require(published(actions))
    #expect(
      ordered.change
        == .added(
          [entry(1, "a"), entry(2, "b")],
          rejected: [RejectedEntry(entry: odd.id, reason: .impossible)]))
    #expect(published(propose(.remove(id(1)), 2)) != nil)
  }

  @Test(arguments: [Opcode.addFiles, .removeFile, .renameFile, .updateName])
  mutating func `nonsense is refused, again too, and what follows it is taken`(
    _ opcode: Opcode
  ) {
    let proposal = Proposal(transfer: Self.transfer(1), oldest: 1, body: [9, 9, 9])
    let message: Message =
      switch opcode {
      case .addFiles: .addFiles(proposal)
      case .removeFile: .removeFile(proposal)
      case .renameFile: .renameFile(proposal)
      default: .updateName(Proposal(transfer: proposal.transfer, oldest: 1, body: [1, 0, 0x2f]))
      }
    let refusal = ChangeRefusal(Self.transfer(1), .impossible)
    #expect(hear(message) == [.answer(to: alice, .changeRefused(refusal))])
    #expect(hear(message) == [.answer(to: alice, .changeRefused(refusal))])
    #expect(published(propose(.add([entry(1, "a")], reclaims: false), 2)) != nil)
  }

  @Test mutating func `of what its answer has no room for as much is taken as goes`() throws {
    let long = String(repeating: String(repeating: "n", count: 39) + "/", count: 100)
    let entries = (1...30).map { entry(UInt64($0), long + "\($0)") }
    let ordered = try #require(published(propose(.add(entries, reclaims: false), 1)))
    guard case .added(let accepted, let rejected) = ordered.change else {
      return #expect(Bool(false))
    }
    #expect(accepted.count + rejected.count == 30 && !accepted.isEmpty && !rejected.isEmpty)
    #expect(rejected.allSatisfy { $0.reason == .tooMuch })
    #expect(try ordered.message().encoded().count <= Limits.controlMessage - 1_024)
  }

  @Test mutating func `the most that can be refused has room in an answer`() throws {
    let entries = (1...1_000).map { entry(UInt64($0), "x/\($0)", .directory) }
    let actions = propose(.add(entries + entries, reclaims: false), 1)
    // More than one message may name: refused as a whole.
    #expect(published(actions) == nil && actions.count == 1)
    let again = propose(.add(Array(repeating: entry(1, "a"), count: 1_000), reclaims: false), 2)
    let ordered = try #require(published(again))
    #expect(try ordered.message().encoded().count <= Limits.controlMessage - 1_024)
  }

  @Test mutating func `a process that is older than one that was heard is told so`() {
    _ = propose(.add([entry(1, "a")], reclaims: false), 1)
    let old = TransferID(incarnation: 6, counter: 1)
    let actions = hear(ProposedChange.remove(id(1)).message(old, oldest: 1))
    #expect(actions == [.answer(to: alice, .changeRefused(ChangeRefusal(old, .outdated)))])
  }

  @Test mutating func `the last counter that there is does not stop the master`() {
    let message = ProposedChange.remove(id(1)).message(Self.transfer(.max), oldest: .max)
    #expect(!hear(message).isEmpty)
    #expect(!hear(message).isEmpty)
    _ = propose(.remove(id(1)), 1)
  }
}
