import Glibc
import System
import Testing

extension Adversity {
  /// The hub carries and keeps what it cannot read.
  @Suite struct BlindHub {
    /// Neither names nor contents, nor where a link points, pass over the wire or lie in the hub's
    /// memory or on its disk, while its cache works.
    @Test func theHubSeesNoNameAndNoContent() throws {
      try withFixture { fixture in
        let hub = try fixture.hub(["--chunk-seconds", "600"])
        let recording = Recording()
        let wire = try Wire(fixture, to: hub.address) { recording }
        let master = try fixture.master(hub, at: "ws://" + wire.address)
        let guest = try fixture.member("guest", of: "ws://" + wire.address, approvedBy: master)
        let marks = ["Nm", "Fl", "Ct", "Tg"].map { $0 + String(SecureRandom.uint64(), radix: 36) }
        let folder = master.path("\(marks[0])-folder")
        let line = "content \(marks[2]) repeated\n"
        let content = String(repeating: line, count: 20_000)
        try Files.makeFolder(folder)
        try Files.write(folder + "/\(marks[1])", content)
        try Files.symlink(folder + "/link", to: marks[3])
        try fixture.waitFor(guest.path("\(marks[0])-folder/\(marks[1])"), content)
        try fixture.waitFor(guest.path("\(marks[0])-folder/link"))
        try Files.rename(folder, master.path("\(marks[0])-renamed"))
        try fixture.waitFor(guest.path("\(marks[0])-renamed/link"))

        let memory = try hub.memory()
        let carried = recording.content
        // What can be seen is seen: the search finds what must be there.
        #expect(memory.contains(mark: "guest") && carried.contains(mark: "/bulk/down"))
        #expect(carried.count > content.utf8.count)
        for mark in marks {
          #expect(!memory.contains(mark: mark), "the hub's memory has \(mark)")
          #expect(!carried.contains(mark: mark), "the wire had \(mark)")
        }
        for name in try Files.list(hub.state) {
          let kept = (try? Files.read(hub.state + "/" + name)) ?? []
          for mark in marks { #expect(!kept.contains(mark: mark), "\(name) has \(mark)") }
        }
      }
    }
  }
}

extension [UInt8] {
  /// Whether the text is somewhere in it.
  fileprivate func contains(mark: String) -> Bool {
    let mark = Array(mark.utf8)
    return withUnsafeBytes { bytes in
      // SAFETY: memmem only reads, within the counts that it is given.
      memmem(bytes.baseAddress!, bytes.count, mark, mark.count) != nil
    }
  }
}

extension HubProcess {
  /// Everything that its process can read of its own memory.
  fileprivate func memory() throws -> [UInt8] {
    let file = OwnedDescriptor(try Files.open("/proc/\(process.pid)/mem", O_RDONLY))
    var all: [UInt8] = []
    for line in try Files.text("/proc/\(process.pid)/maps").split(separator: "\n") {
      let words = line.split(separator: " ")
      let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard words[1].hasPrefix("rw"), ends.count == 2 else { continue }
      var piece = [UInt8](repeating: 0, count: Int(ends[1] - ends[0]))
      let got = pread(file.raw, &piece, piece.count, off_t(ends[0]))
      if got > 0 { all += piece[..<got] }
    }
    return all
  }
}
