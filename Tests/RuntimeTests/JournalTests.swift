import Core
import Glibc
import Protocol
import Runtime
import State
import System
import Testing

/// S39, S40, S94, S95: what a start makes of the master's journal.
struct JournalTests {
  private let place: TemporaryFolder
  private var folder: String { place.path + "/state" }
  private var path: String { folder + "/journal" }

  init() throws {
    place = try TemporaryFolder()
    try File.makeDirectories(folder, mode: 0o700)
  }

  private func open() throws -> MasterJournal.Opened {
    try MasterJournal.open(path, vault: MasterVault(), settings: Master.Settings(), signer: .none)
  }

  /// Gives the master the name `number`, and appends that.
  private func rename(_ number: UInt64, _ master: inout Master, _ journal: MasterJournal) throws {
    var actions: [MasterAction] = []
    let proposal = Proposal(
      transfer: TransferID(incarnation: 1, counter: number), oldest: number, body: [])
    master.proposed(
      proposal, .name(deviceName("name \(number)")), from: .master, now: .zero, into: &actions)
    for case .journal(let ordered) in actions {
      do { try journal.append(ordered) } catch { throw Unkept(ordered: ordered) }
    }
  }

  /// What the disk did not take.
  private struct Unkept: Error {
    let ordered: OrderedChange
  }

  /// A journal of five changes, its bytes, and where each of its records ends.
  private func write() throws -> (bytes: [UInt8], epoch: UInt64, ends: [Int]) {
    let opened = try open()
    var master = opened.master
    // A journal that is new counts as lost until the hub was heard of.
    var actions: [MasterAction] = []
    master.hubConnected(clients: [], now: .zero, into: &actions)
    var ends: [Int] = []
    for number in 1...5 as ClosedRange<UInt64> {
      try rename(number, &master, opened.journal)
      ends.append(try #require(bytes(path)).count)
    }
    return (try #require(bytes(path)), master.replica.order.epoch, ends)
  }

  private func asides() -> [String] {
    (1...200).map { "\(path).damaged-\($0)" }.filter { access($0, F_OK) == 0 }
  }

  /// A cursor counts what it was told: a new epoch and its journal tell it in one order.
  @Test func `who is in the middle of the list goes on with it behind a restart`() throws {
    let opened = try open()
    var master = opened.master
    var actions: [MasterAction] = []
    master.hubConnected(clients: [], now: .zero, into: &actions)
    try rename(1, &master, opened.journal)
    // The latest first, so that they come in another order than that of their ids.
    for number in (2...900 as ClosedRange<UInt64>).reversed() {
      let entry = Entry(
        id: RandomID(high: 1, low: number),
        path: try SharePath(Array((String(repeating: "l", count: 220) + "\(number)").utf8)),
        kind: .file, version: RandomID(high: 2, low: number), size: 1,
        modified: FileTime(seconds: 1), mode: 0o644)
      let transfer = TransferID(incarnation: 1, counter: 902 - number)
      actions = []
      master.proposed(
        Proposal(transfer: transfer, oldest: transfer.counter, body: []),
        .add([entry], reclaims: false), from: .master, now: .zero, into: &actions)
      for case .journal(let ordered) in actions { try opened.journal.append(ordered) }
    }
    // Its end is damaged: the list goes on in a new epoch.
    try put(try #require(bytes(path)) + [1, 2, 3], path)
    var told: Set<EntryKey> = []
    var (cursor, mark) = (ListCursor.start, ListMark.none)
    func take(_ master: inout Master) throws -> Bool {
      var actions: [MasterAction] = []
      master.asked(cursor, seen: mark, from: .master, into: &actions)
      guard case .answer(_, .filesPage(let page))? = actions.last else { return false }
      #expect(page.restarts == (cursor == .start))
      let body = try PageBody(decoding: page.body)
      for case .entry(let listed) in body.items { told.insert(listed.key) }
      (cursor, mark) = (page.next, body.head)
      return page.more
    }
    var begun = try open().master
    #expect(try take(&begun))
    var restored = try open().master
    #expect(restored.replica.order.epoch == begun.replica.order.epoch)
    while try take(&restored) {}
    #expect(told.count == 899 && restored.replica.list.count == 899)
  }

  /// A process that is killed leaves some beginning of what it wrote.
  @Test func `a start goes on from whatever a kill left of the journal`() throws {
    let (good, epoch, ends) = try write()
    let header = try #require(good.firstIndex(of: 10)) + 1
    for length in header + 60..<good.count + 1 {
      try put(Array(good[..<length]), path)
      let opened = try open()
      let changes = ends.filter { $0 <= length }.count
      #expect(opened.remark == nil, "at \(length)")
      guard opened.master.replica.order.epoch == epoch else {
        // Not even what there was at the beginning is whole: nothing had been told by then.
        #expect(changes == 0 && length < ends[0], "at \(length)")
        continue
      }
      #expect(opened.master.replica.order.seq == UInt64(changes), "at \(length)")
      let name = opened.master.replica.members[.master]?.name.text
      #expect(name == (changes == 0 ? nil : "name \(changes)"), "at \(length)")
    }
    #expect(asides().isEmpty)
  }

  @Test func `a damaged journal is kept under a name that is said, and a new epoch begins`() throws
  {
    let (good, epoch, ends) = try write()
    var draws = SeededDraws(state: 3)
    for place in stride(from: 0, to: good.count, by: 7) {
      var damaged = good
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &draws)
      try put(damaged, path)
      let opened = try open()
      let aside = try #require(asides().first, "byte \(place)")
      #expect(opened.remark?.contains("kept as \(aside)") == true)
      #expect(bytes(aside) == damaged)
      #expect(opened.master.replica.order.epoch != epoch)
      // What lies before the damage goes on.
      let changes = ends.filter { $0 <= place }.count
      let name = opened.master.replica.members[.master]?.name.text
      #expect(name == (changes == 0 ? nil : "name \(changes)"), "byte \(place)")
      #expect(try open().remark == nil)
      #expect(unlink(aside) == 0)
    }
  }

  @Test func `a journal of a later format stops the start and stays as it is`() throws {
    let later = newer(.journal, try write().bytes, isLog: true)
    try put(later, path)
    #expect(refusal { _ = try open() }?.contains("format 3") == true)
    #expect(bytes(path) == later)
  }

  @Test(arguments: [true, false])
  func `after another start of the machine only a clean end goes on in the same epoch`(
    isClean: Bool
  ) throws {
    let (_, epoch, _) = try write()
    var records = try #require(try RecordLog.load(.journal, path)).records
    records[0] = JournalRecord.epoch(epoch, boot: [1, 2, 3]).encoded
    if isClean { records.append(JournalRecord.end.encoded) }
    try RecordLog.write(.journal, path, records)
    let opened = try open()
    #expect((opened.master.replica.order.epoch == epoch) == isClean)
    #expect(opened.master.replica.members[.master]?.name.text == "name 5")
    #expect(opened.remark == nil)
  }

  /// A record that makes no sense behind its checksum is damage like any other.
  @Test func `records that contradict each other are damage`() throws {
    let (_, epoch, _) = try write()
    let good = try #require(try RecordLog.load(.journal, path)).records
    let gap = OrderedChange(
      order: ListOrder(epoch: epoch, seq: 99), sender: .master,
      transfer: TransferID(incarnation: 1, counter: 9), change: .named(deviceName("x")))
    for odd in [JournalRecord.change(gap).encoded, [77], good[0]] {
      try RecordLog.write(.journal, path, good + [odd])
      let opened = try open()
      #expect(opened.remark?.contains("record \(good.count)") == true)
      #expect(opened.master.replica.order.epoch != epoch)
      #expect(opened.master.replica.members[.master]?.name.text == "name 5")
    }
    #expect(asides().count == 3)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
  func `a full disk refuses a record whole, and goes on where there is room`() throws {
    let disk = try SmallDisk(folder, pages: 12)
    defer { disk.detach() }
    let opened = try open()
    var master = opened.master
    var actions: [MasterAction] = []
    master.hubConnected(clients: [], now: .zero, into: &actions)
    try disk.fill()
    var refused: OrderedChange?
    var number: UInt64 = 0
    while refused == nil, number < 1_000 {
      number += 1
      let before = master.replica.order.seq
      do { try rename(number, &master, opened.journal) } catch let unkept as Unkept {
        #expect(master.replica.order.seq == before + 1)
        refused = unkept.ordered
      }
    }
    let late = try #require(refused)
    for _ in 0..<3 { #expect(throws: SystemError.self) { try opened.journal.append(late) } }
    // What is there is whole, and without what was refused.
    let content = try #require(try RecordLog.load(.journal, path))
    #expect(content.end == .whole)
    try disk.free()
    try opened.journal.append(late)
    try rename(number + 1, &master, opened.journal)
    let again = try open()
    #expect(again.remark == nil)
    #expect(again.master.replica.order == master.replica.order)
    #expect(again.master.replica.members[.master]?.name.text == "name \(number + 1)")
  }

  @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
  func `a start on a full disk stops with what to do, and loses nothing`() throws {
    let disk = try SmallDisk(folder, pages: 12)
    defer { disk.detach() }
    let (good, _, _) = try write()
    try StateScene.vault.write(folder)
    let vault = bytes(folder + "/vault")
    try disk.fill()
    // A journal that is whole goes on as it is.
    #expect(try open().master.replica.order.seq == 5)
    let said = refusal { _ = try KeyVault(path: folder + "/vault") }
    #expect(said?.hasSuffix("make room there") == true)
    #expect(bytes(path) == good && bytes(folder + "/vault") == vault)
    // One whose last record a crash cut off is made anew.
    truncate(path, off_t(good.count - 1))
    #expect(refusal { _ = try open() }?.hasSuffix("make room there") == true)
    #expect(bytes(path) == good.dropLast())
    try disk.free()
    #expect(try open().master.replica.order.seq == 4)
    _ = try StateScene.vault.read(folder)
  }
}

/// A file system of a few pages over a folder of a test's, which can be filled to the last of them.
/// Root only.
struct SmallDisk {
  private let folder: String
  private var filler: String { folder + "/filler" }

  init(_ folder: String, pages: Int) throws {
    self.folder = folder
    try retryingOnInterrupt("mount a small disk") {
      mount("fsharefs-test", folder, "tmpfs", 0, "size=\(4 * pages)k,mode=700")
    }
  }

  /// Leaves no room at all.
  func fill() throws {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open the filler") {
        Glibc.open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      })
    let page = [UInt8](repeating: 1, count: 4_096)
    while (try? File.writeAll(page, to: file.raw, "filler")) != nil {}
  }

  /// Makes room again.
  func free() throws { try retryingOnInterrupt("remove the filler") { unlink(filler) } }

  func detach() { _ = umount2(folder, Int32(MNT_DETACH)) }
}
