import CLinux
import Glibc
import System

/// Random operations on one file, each done to an array of bytes as well; the two never differ.
struct FileExerciser {
  /// What is done to the file.
  private enum Operation: CaseIterable {
    case read, write, append, cut, cutByPath, map, mapAndSynchronise, readMapped, reserve,
      reserveBehind
    case punch, zero, copy, reopen, synchronise, rename, write2
  }

  /// Bytes that the file has at most: several leaves, and more than the kernel reads ahead.
  private static let limit = 700_000
  private(set) var path: String
  private(set) var content: [UInt8] = []
  private let otherPath: String
  private var generator: Generator
  private var file: Int32
  /// Open beside `file`, so that there are two writers.
  private var second: Int32
  private var last = "nothing"

  /// The file is made; it and a name beside it are used.
  init(_ path: String, seed: UInt64) throws {
    self.path = path
    otherPath = path + ".moved"
    generator = Generator(seed: seed)
    file = try Files.open(path, O_CREAT | O_EXCL | O_RDWR)
    second = try Files.open(path, O_RDWR)
  }

  /// One operation. Throws: where the file is not what it must be.
  mutating func step() throws {
    let operation = Operation.allCases[below(Operation.allCases.count)]
    let offset = below(max(1, content.count + 50_000))
    let count = 1 + below(below(4) == 0 ? 200_000 : 5_000)
    let end = min(Self.limit, offset + count)
    last = "\(operation) \(offset)..<\(end)"
    if end <= offset { return }
    try perform(operation, offset..<end)
    let size = try Stat(descriptor: file).size
    if size != Int64(content.count) { throw fault("the size is \(size), not \(content.count)") }
  }

  /// Closes, and answers what the file holds now.
  mutating func finish() throws -> [UInt8] {
    try Files.close(second, path)
    try Files.close(file, path)
    try compare(try Files.read(path), 0..<content.count)
    return content
  }

  private mutating func perform(_ operation: Operation, _ range: Range<Int>) throws {
    let inside = range.clamped(to: 0..<content.count)
    switch operation {
    case .read: try compare(read(file, range), range)
    case .readMapped:
      guard !inside.isEmpty else { return }
      let view = try Mapping(second, content.count, MAP_SHARED)
      defer { view.end() }
      try compare(view.bytes(at: inside.lowerBound, count: inside.count), inside)
    case .write: try write(file, range)
    case .write2: try write(second, range)
    case .append: try append(range.count)
    case .cut:
      try check(ftruncate(file, off_t(range.upperBound)))
      resize(to: range.upperBound)
    case .cutByPath:
      try check(truncate(path, off_t(range.lowerBound)))
      resize(to: range.lowerBound)
    case .map, .mapAndSynchronise:
      if !inside.isEmpty { try map(inside, synchronises: operation == .mapAndSynchronise) }
    case .reserve: try allocate(0, range) { $0.grow(to: range.upperBound) }
    case .reserveBehind: try allocate(Int32(FALLOC_FL_KEEP_SIZE), range) { _ in }
    case .punch:
      try allocate(Int32(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE), range) { $0.clear(inside) }
    case .zero:
      try allocate(Int32(FALLOC_FL_ZERO_RANGE), range) { me in
        me.grow(to: range.upperBound)
        me.clear(range)
      }
    case .copy: try copy(inside)
    case .reopen:
      try Files.close(file, path)
      file = try Files.open(path, O_RDWR)
    case .synchronise: try check(fsync(file))
    case .rename: try move()
    }
  }

  private mutating func write(_ file: Int32, _ range: Range<Int>) throws {
    let bytes = Samples.bytes(range.count, seed: generator.next())
    let done = pwrite(file, bytes, bytes.count, off_t(range.lowerBound))
    if done != bytes.count { throw fault("pwrite: \(done)") }
    put(bytes, at: range.lowerBound)
  }

  private mutating func append(_ count: Int) throws {
    let bytes = Samples.bytes(min(count, Self.limit - content.count), seed: generator.next())
    if bytes.isEmpty { return }
    try Files.write(path, bytes, flags: O_APPEND)
    content += bytes
  }

  private mutating func map(_ range: Range<Int>, synchronises: Bool) throws {
    let bytes = Samples.bytes(range.count, seed: generator.next())
    let view = try Mapping(file, content.count, MAP_SHARED)
    defer { view.end() }
    view.put(bytes, at: range.lowerBound)
    if synchronises { try check(view.synchronise()) }
    put(bytes, at: range.lowerBound)
  }

  private mutating func allocate(
    _ mode: Int32, _ range: Range<Int>, _ effect: (inout FileExerciser) -> Void
  ) throws {
    errno = 0
    if fallocate(file, mode, off_t(range.lowerBound), off_t(range.count)) == 0 {
      effect(&self)
    } else if errno != EOPNOTSUPP {
      // The own folder's file system may not have it.
      throw fault("fallocate: errno \(errno)")
    }
  }

  /// A range of the file to another place in it that does not touch the range.
  private mutating func copy(_ range: Range<Int>) throws {
    let target = below(Self.limit - range.count + 1)
    guard !range.isEmpty, !(target..<(target + range.count)).overlaps(range) else { return }
    var done = 0
    while done < range.count {
      let count = clinux_copy_file_range(
        file, Int64(range.lowerBound + done), second, Int64(target + done), range.count - done)
      if count <= 0 { throw fault("copy_file_range: \(count), errno \(errno)") }
      done += count
    }
    put(Array(content[range]), at: target)
  }

  private mutating func move() throws {
    let next = path == otherPath ? String(otherPath.dropLast(".moved".count)) : otherPath
    try Files.rename(path, next)
    path = next
  }

  private func read(_ file: Int32, _ range: Range<Int>) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    let got = pread(file, &bytes, bytes.count, off_t(range.lowerBound))
    if got < 0 { throw fault("pread: errno \(errno)") }
    return Array(bytes[..<got])
  }

  private mutating func resize(to size: Int) {
    if size < content.count { content.removeLast(content.count - size) }
    grow(to: size)
  }

  private mutating func grow(to size: Int) {
    if size > content.count { content += [UInt8](repeating: 0, count: size - content.count) }
  }

  private mutating func clear(_ range: Range<Int>) {
    for index in range { content[index] = 0 }
  }

  private mutating func put(_ bytes: [UInt8], at offset: Int) {
    grow(to: offset + bytes.count)
    content.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
  }

  /// `range` is what was asked for; of it there is what lies before the file's end.
  private func compare(_ bytes: [UInt8], _ range: Range<Int>) throws {
    let expected = content[range.clamped(to: 0..<content.count)]
    if bytes.elementsEqual(expected) { return }
    let place = zip(bytes, expected).enumerated().first { $1.0 != $1.1 }?.offset
    throw fault("\(bytes.count) of \(expected.count) bytes, different from \(place ?? -1) on")
  }

  private func check(_ result: Int32) throws {
    if result != 0 { throw fault("errno \(errno)") }
  }

  private func fault(_ text: String) -> NeverHappened {
    NeverHappened(description: "\(last): \(text)")
  }

  private mutating func below(_ limit: Int) -> Int { Int(generator.next() % UInt64(limit)) }
}

/// Numbers from a seed (SplitMix64).
struct Generator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
