import Core
import Protocol
import Testing

/// Who gets the group's key, and when there is a new one.
struct MasterKeyTests {
  private func master(_ clients: ClientRecord..., approving approved: PublicID...) -> Master {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    master.hubConnected(clients: clients, now: .zero, into: &actions)
    for publicID in approved { _ = master.approve(publicID, into: &actions) }
    return master
  }

  private func kinds(_ actions: [MasterAction]) -> [String] {
    actions.map { action in
      switch action {
      case .keep(let member, let generation): "keep \(member.publicID) \(generation)"
      case .useKey(let generation): "use \(generation)"
      case .giveKey(let publicID, _): "give \(publicID)"
      case .journal: "journal"
      case .publish: "publish"
      case .answer: "answer"
      case .sign: "sign"
      case .beginEpoch(let order): "epoch \(order.epoch)"
      case .notice: "notice"
      case .keepRestoration(let restoration): "restoration \(restoration.generation)"
      case .tell(let table): table.isLast && table.records.isEmpty ? "told" : "table"
      }
    }
  }

  @Test func `whoever is approved has the key before it hears so`() {
    var master = master(client(1, .waiting))
    var actions: [MasterAction] = []
    _ = master.approve(alice, into: &actions)
    #expect(kinds(actions) == ["keep 1 1", "give 1", "journal", "publish"])
  }

  @Test func `a disapproval is kept first, told under the old key, and the rest get a new one`() {
    var master = master(client(1, .waiting), client(2, .waiting), approving: alice, bob)
    var actions: [MasterAction] = []
    _ = master.disapprove(alice, into: &actions)
    #expect(kinds(actions) == ["keep 1 2", "journal", "publish", "use 2", "give 2"])
  }

  @Test func `refusing somebody who never had the key changes no key`() {
    var master = master(client(1, .waiting), client(2, .waiting), approving: bob)
    var actions: [MasterAction] = []
    _ = master.disapprove(alice, into: &actions)
    #expect(kinds(actions) == ["keep 1 1", "journal", "publish"])
  }

  @Test func `a hub that lacks a member's key gets it again`() {
    var master = master(client(1, .waiting), approving: alice)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .approved)], now: .zero, into: &actions)
    #expect(kinds(actions) == ["use 1", "give 1", "told"])
  }

  @Test func `after a loss of the keys the next one is later than any that was seen`() {
    var master = Master(epoch: 1)
    let seen = ClientRecord(
      publicID: alice, key: key(1), name: deviceName("device 1"), system: "", generation: 7,
      admission: .waiting, presence: .online)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [seen], now: .zero, into: &actions)
    #expect(kinds(actions) == ["notice", "restoration 8", "use 8", "told"])
  }

  @Test func `a hub that gives an approved number another agreement key gives it to nobody`() {
    var master = master(client(1, .waiting), approving: alice)
    let forged = ClientRecord(
      publicID: alice, key: DeviceKey(signing: key(1).signing, agreement: key(9).agreement),
      name: deviceName("device 1"), system: "", admission: .approved, presence: .online)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [forged], now: .zero, into: &actions)
    #expect(!actions.contains(.giveKey(alice, forged.key)))
    #expect(master.replica.members[alice]?.key == key(1))
  }

  @Test
  func `a key that is old is replaced for all who are in, and for who was away when it is back`() {
    var master = Master(epoch: 1)
    var actions: [MasterAction] = []
    master.hubConnected(
      clients: [client(1, .waiting), client(2, .waiting), client(3, .waiting)], now: .zero,
      into: &actions)
    for one in [alice, bob] { _ = master.approve(one, into: &actions) }
    actions = []
    master.renewOldKey(into: &actions)
    #expect(
      actions == [.useKey(2), .giveKey(alice, key(1)), .giveKey(bob, key(2))])
    #expect(master.generation == 2)
    actions = []
    master.clientRegistered(client(2, .approved, generation: 1, reached: 1), into: &actions)
    #expect(actions.contains(.giveKey(bob, key(2))))
  }

  @Test func `however many keys there were, an old one is replaced`() {
    let latest: UInt32 = 1 << 24
    var master = Master(epoch: 1, vault: MasterVault(generation: latest))
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .waiting)], now: .zero, into: &actions)
    actions = []
    master.renewOldKey(into: &actions)
    #expect(actions == [.useKey(latest + 1)])
  }

  @Test func `a crash between a disapproval and its place in the journal lets nobody stay in`() {
    var old = Author()
    old.order(.approved(member(1, .approved)), by: .master)
    let vault = MasterVault(generation: 2, decisions: [member(1, .disapproved)])
    var master = Master(epoch: 1, vault: vault)
    master.restore(all: old.replica)
    var actions: [MasterAction] = []
    master.hubConnected(clients: [client(1, .approved)], now: .zero, into: &actions)
    #expect(master.replica.members[alice]?.admission == .disapproved)
  }
}

/// Leaves and the keys that they are asked for under.
struct FetcherKeyTests {
  private let content = Content(owner: alice, entry: id(1), version: id(2), size: 100)

  private func fetcher() -> ChunkFetcher {
    var fetcher = ChunkFetcher()
    fetcher.rekeyed(1)
    fetcher.open(1, content)
    var actions: [FetchAction] = []
    fetcher.linkReady(now: .zero, into: &actions)
    return fetcher
  }

  private func act(
    _ fetcher: inout ChunkFetcher, _ body: (inout ChunkFetcher, inout [FetchAction]) -> Void
  ) -> [FetchAction] {
    var actions: [FetchAction] = []
    body(&fetcher, &actions)
    return actions
  }

  private func read(_ fetcher: inout ChunkFetcher) -> ChunkRequest? {
    let actions = act(&fetcher) {
      $0.read(1, stream: 1, offset: 0, length: 100, now: .zero, into: &$1)
    }
    if case .request(let request)? = actions.first { return request }
    return nil
  }

  private let leaf = [UInt8](repeating: 1, count: 100)

  @Test func `a leaf is asked for under the key in use`() {
    var fetcher = fetcher()
    fetcher.rekeyed(3)
    #expect(read(&fetcher)?.generation == 3)
  }

  @Test func `what was asked for under the old key is taken under it`() throws {
    var fetcher = fetcher()
    let request = try #require(read(&fetcher))
    fetcher.rekeyed(2)
    let actions = act(&fetcher) { $0.arrived(request.key(0), leaf, now: .zero, into: &$1) }
    #expect(actions.count == 1)
  }

  @Test func `a leaf under another key than it was asked for is not taken`() throws {
    var fetcher = fetcher()
    fetcher.rekeyed(2)
    let request = try #require(read(&fetcher))
    let actions = act(&fetcher) {
      $0.arrived(request.key(0).sealed(1), leaf, now: .zero, into: &$1)
    }
    #expect(actions.isEmpty && fetcher.waitingReads == 1)
  }

  @Test func `a stale request is repeated under the new key`() throws {
    var fetcher = fetcher()
    let request = try #require(read(&fetcher))
    fetcher.rekeyed(2)
    let actions = act(&fetcher) {
      $0.failed(ChunkFailure(request, reason: .stale), now: .zero, into: &$1)
    }
    guard case .request(let again)? = actions.first else { return #expect(Bool(false)) }
    #expect(again.generation == 2)
  }

  @Test func `a stale request waits a moment where the new key has not come yet`() throws {
    var fetcher = fetcher()
    let request = try #require(read(&fetcher))
    let actions = act(&fetcher) {
      $0.failed(ChunkFailure(request, reason: .stale), now: .zero, into: &$1)
    }
    #expect(actions.isEmpty)
    let later = act(&fetcher) { $0.tick(now: .milliseconds(100), into: &$1) }
    #expect(later.count == 1)
  }

  @Test func `a leaf in memory is good under every key`() throws {
    var fetcher = fetcher()
    let request = try #require(read(&fetcher))
    _ = act(&fetcher) { $0.arrived(request.key(0), leaf, now: .zero, into: &$1) }
    fetcher.rekeyed(2)
    let actions = act(&fetcher) {
      $0.read(2, stream: 1, offset: 0, length: 100, now: .zero, into: &$1)
    }
    guard case .reply(2, _)? = actions.first else { return #expect(Bool(false)) }
  }

  @Test func `nothing of an owner who is put out is kept or answered`() throws {
    var fetcher = fetcher()
    let request = try #require(read(&fetcher))
    _ = act(&fetcher) { $0.arrived(request.key(0), leaf, now: .zero, into: &$1) }
    _ = act(&fetcher) { $0.ownerDecided(alice, isIn: false, into: &$1) }
    #expect(fetcher.cachedBytes == 0)
    let refused = act(&fetcher) {
      $0.read(2, stream: 1, offset: 0, length: 100, now: .zero, into: &$1)
    }
    #expect(refused == [.fail(2, .denied)])
    _ = act(&fetcher) { $0.ownerDecided(alice, isIn: true, into: &$1) }
    let again = act(&fetcher) {
      $0.read(3, stream: 1, offset: 0, length: 100, now: .zero, into: &$1)
    }
    #expect(again.count == 1)
  }
}
