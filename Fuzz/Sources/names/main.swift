import Fuzzer
import Protocol

/// Names as a directory of the own folder may have them, paths made of them, and where a link
/// points.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = input(start, count)
  if let name = try? Name(bytes) {
    precondition((1...Limits.name).contains(name.bytes.count), "a name has a length")
    precondition(!name.bytes.contains(0) && !name.bytes.contains(0x2f), "a name is one part")
    precondition(name.bytes != [0x2e] && name.bytes != [0x2e, 0x2e], "a name leads nowhere else")
  }
  if let path = try? SharePath(bytes) {
    var built: SharePath?
    for name in path.names { built = try? SharePath(parent: built, name: name) }
    precondition(built == path, "a path is its names")
    precondition(path.depth == path.names.count - 1, "a path is as deep as its names say")
  }
  let depth = Int(bytes.first ?? 0) % 8
  if SymlinkTarget.isContained(Array(bytes.dropFirst()), depth: depth) {
    var level = depth
    for part in bytes.dropFirst().split(separator: 0x2f) {
      if part.elementsEqual([0x2e, 0x2e]) { level -= 1 } else if part != [0x2e] { level += 1 }
      precondition(level >= 0, "a contained link never leaves the share")
    }
  }
  _ = DeviceName(String(decoding: bytes, as: UTF8.self))
  return 0
}

fuzz(fuzzOne)
