import Core
import Protocol

/// Entries that a liar makes up, out of what honest members have.
extension World {
  /// An entry of an honest member, by its folder.
  private func honestEntry() -> Entry? {
    random.pick(nodes).flatMap { random.pick($0.folder.sorted) }
  }

  func lyingID(_ liar: Liar) -> EntryID {
    switch random.below(100) {
    case 0..<45: random.pick(liar.entries)?.id ?? newID()
    case 45..<75: honestEntry()?.id ?? newID()
    case 75..<78: .zero
    default: newID()
    }
  }

  func lyingEntry(_ liar: Liar) -> Entry {
    let model = honestEntry()
    let kind: EntryKind =
      random.chance(600) ? .file : random.chance(600) ? .directory : .symlink
    let target: [UInt8] =
      switch random.below(8) {
      case 0: Array("../../x".utf8)
      case 1: Array("/etc".utf8)
      case 2: Array("x".utf8)
      default: kind == .symlink ? [0x78] : []
      }
    let size: UInt64 =
      switch random.below(8) {
      case 0: someNumber()
      case 1: Limits.fileSize
      case 2: model?.size ?? 0
      default: kind == .file ? random.next() % 600_000 : 0
      }
    return Entry(
      id: lyingID(liar), path: lyingPath(liar), kind: kind,
      version: lyingVersion(liar, model), size: size, modified: lyingTime(),
      mode: UInt16(truncatingIfNeeded: random.next()), target: target,
      beginning: kind == .file && random.chance(250) ? lyingVersion(liar, model) : nil)
  }

  private func lyingVersion(_ liar: Liar, _ model: Entry?) -> Version {
    switch random.below(4) {
    case 0: model?.version ?? newID()
    case 1: random.pick(liar.entries)?.version ?? newID()
    case 2 where random.chance(200): .zero
    default: newID()
    }
  }

  private func lyingTime() -> FileTime {
    let seconds = [0, .min, .max, Int64(bitPattern: random.next())][random.below(4)]
    return FileTime(
      seconds: seconds,
      nanoseconds: random.chance(500) ? 0 : FileTime.nanosecondsPerSecond - 1)!
  }

  func lyingPath(_ liar: Liar) -> SharePath {
    let honest = honestEntry()?.path
    let bytes: [UInt8] =
      switch random.below(100) {
      case 0..<20: honest?.bytes ?? [0x61]
      case 20..<38: (honest?.bytes ?? [0x61]) + [0x2f, someLetter()]
      case 38..<48: honest?.parent?.bytes ?? [someLetter()]
      case 48..<75: [someLetter()]
      case 75..<85: (random.pick(liar.entries)?.path.bytes ?? [0x61]) + [0x2f, someLetter()]
      // Where others go out of the way.
      case 85..<89: [someLetter()] + Array("~\(random.below(5)).\(1 + random.below(30))".utf8)
      case 89..<95:
        Array(
          [[UInt8]](
            repeating: [someLetter()],
            count: random.chance(900) ? 1 + random.below(16) : 1 + random.below(1_900)
          ).joined(separator: [0x2f]))
      case 95..<98:
        [UInt8](repeating: someLetter(), count: 1 + random.below(Limits.name))
      default:
        Array(
          [[UInt8]](
            repeating: [UInt8](repeating: someLetter(), count: Limits.name),
            count: 1 + random.below(16)
          ).joined(separator: [0x2f]))
      }
    // Too long where it lies too deep.
    return (try? SharePath(bytes)) ?? honest ?? newEntry(at: plainPath, kind: .file).path
  }

  private var plainPath: SharePath {
    do { return try SharePath([0x61]) } catch { preconditionFailure("a is a path") }
  }

  /// Of those that honest members use.
  private func someLetter() -> UInt8 { UInt8(ascii: "a") + UInt8(random.below(7)) }
}
