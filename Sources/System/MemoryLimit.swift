/// Memory that this process may have.
package enum MemoryLimit {
  /// Bytes that its control group (version 2) and those above allow; nil where none limits it.
  package static var ofControlGroup: UInt64? {
    guard let list = try? File.readAll("/proc/self/cgroup", limit: 65_536) else { return nil }
    let lines = String(decoding: list, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("0::/") }) else { return nil }
    var parts = line.dropFirst(4).split(separator: "/")
    var least: UInt64?
    while true {
      let path = (["/sys/fs/cgroup"] + parts + ["memory.max"]).joined(separator: "/")
      if let text = try? File.readAll(path, limit: 64),
        let limit = UInt64(String(decoding: text, as: UTF8.self).filter(\.isNumber))
      {
        least = min(least ?? limit, limit)
      }
      guard parts.popLast() != nil else { return least }
    }
  }
}
