/// Why the master does not take an entry or a rename. The raw values are the wire's.
package enum Rejection: UInt8, Sendable {
  /// Somebody else had the path first.
  case exists = 1
  /// A part of the path is somebody's file.
  case notADirectory = 2
  /// The path is a directory.
  case isADirectory = 3
  /// The entry is not the sender's.
  case notTheOwner = 4
  /// No such entry.
  case unknownEntry = 5
  /// The list is full.
  case listFull = 6
  /// The path would be too long.
  case pathTooLong = 7
  /// A symlink would lead out of the share from there.
  case linkLeadsOut = 8
  /// No such thing can be told to anybody.
  case impossible = 9
  /// More than the answer to one message has room for: it can be proposed again by itself.
  case tooMuch = 10
  /// A later process with the same key has proposed changes before: this one's clock was set back,
  /// and its state folder is an older copy.
  case outdated = 11
  /// The sender has as many entries, or bytes of paths, as one member may have.
  case shareFull = 12
  /// The path has too many parts.
  case tooDeep = 13
}

/// An entry that was not taken.
package struct RejectedEntry: Equatable, Sendable {
  package let entry: EntryID
  package let reason: Rejection
  package init(entry: EntryID, reason: Rejection) {
    self.entry = entry
    self.reason = reason
  }
}

/// What everyone knows of one member.
package struct MemberRecord: Equatable, Sendable {
  package let publicID: PublicID
  package var name: DeviceName
  package var admission: Admission
  /// The key that was decided about, so that nobody else profits from the number; nil for the
  /// master itself.
  package let key: DeviceKey?
  /// Of the group key once that was decided: of two decisions about a key the one with the higher
  /// is the later, since putting out somebody who had the key begins a new generation. 0: not
  /// known.
  package let generation: UInt32
  /// The master's signature of `signedBytes`; empty where nobody decided.
  package let signature: [UInt8]
  package init(
    publicID: PublicID, name: DeviceName, admission: Admission, key: DeviceKey?,
    generation: UInt32 = 0, signature: [UInt8] = []
  ) {
    self.publicID = publicID
    self.name = name
    self.admission = admission
    self.key = key
    self.generation = generation
    self.signature = signature
  }

  /// Bytes of a signature.
  package static let signatureLength = 64

  /// What the master signs of a decision; the name is a label, and not decided about.
  package var signedBytes: [UInt8] {
    var writer = ByteWriter(reserving: 128)
    writer.put("fsharefs decision 1")
    writer.put(publicID)
    writer.put(admission.rawValue)
    if let key { writer.put(key) }
    writer.put(generation)
    return writer.bytes
  }

  /// The same with the master's signature.
  package func signed(by sign: ([UInt8]) -> [UInt8]) -> MemberRecord {
    MemberRecord(
      publicID: publicID, name: name, admission: admission, key: key, generation: generation,
      signature: sign(signedBytes))
  }
}

/// One change of the list, as the master ordered it.
package enum Change: Equatable, Sendable {
  case added([Entry], rejected: [RejectedEntry])
  case removed(EntryID)
  /// `rejection`: nil where it was done.
  case renamed(EntryID, to: SharePath, rejection: Rejection?)
  case named(DeviceName)
  case approved(MemberRecord)
  case disapproved(MemberRecord)
  /// A member left for good or for long: its entries leave the list, its paths are free.
  case released(PublicID)
}

extension Change {
  /// The change in the body of a message with this opcode, which is no decision's.
  init(_ opcode: Opcode, from reader: inout ByteReader) throws(DecodingFault) {
    switch opcode {
    case .filesAdded:
      let count = try reader.count(of: 50, atMost: Limits.entriesPerTransfer)
      var entries: [Entry] = []
      entries.reserveCapacity(count)
      for _ in 0..<count { entries.append(try Entry(from: &reader)) }
      let rejections = try reader.count(of: 17, atMost: Limits.entriesPerTransfer)
      var rejected: [RejectedEntry] = []
      for _ in 0..<rejections {
        rejected.append(
          RejectedEntry(entry: try reader.randomID(), reason: try reader.rejection()))
      }
      self = .added(entries, rejected: rejected)
    case .fileRemoved: self = .removed(try reader.randomID())
    case .fileRenamed:
      let entry = try reader.randomID()
      let path = try reader.path()
      let code = try reader.uint8()
      if code == 0 {
        self = .renamed(entry, to: path, rejection: nil)
      } else if let rejection = Rejection(rawValue: code) {
        self = .renamed(entry, to: path, rejection: rejection)
      } else {
        throw .invalid("rejection")
      }
    case .nameUpdated: self = .named(try reader.deviceName())
    default: self = .released(try reader.publicID())
    }
  }
}

extension ByteWriter {
  package mutating func put(_ member: MemberRecord) {
    let isSigned = member.signature.count == MemberRecord.signatureLength
    put(member.publicID)
    put(member.admission.rawValue | (isSigned ? MemberRecord.signedBit : 0))
    put(member.name.text)
    put(member.key != nil)
    if let key = member.key { put(key) }
    put(member.generation)
    if isSigned { putFixed(member.signature, count: MemberRecord.signatureLength) }
  }
}

extension MemberRecord {
  /// Of the byte of the admission: a signature ends the record.
  fileprivate static let signedBit: UInt8 = 0x80
}

extension ByteReader {
  /// `isDated`: false for records of programs that did not date decisions.
  package mutating func memberRecord(isDated: Bool = true) throws(DecodingFault) -> MemberRecord {
    let publicID = try publicID()
    let code = try uint8()
    let isSigned = code & MemberRecord.signedBit != 0
    guard let admission = Admission(rawValue: code & ~MemberRecord.signedBit) else {
      throw .invalid("admission")
    }
    return MemberRecord(
      publicID: publicID, name: try deviceName(), admission: admission,
      key: try bool() ? try deviceKey() : nil,
      generation: isDated ? try uint32() : 0,
      signature: isSigned ? try fixed(MemberRecord.signatureLength) : [])
  }

  fileprivate mutating func rejection() throws(DecodingFault) -> Rejection {
    guard let rejection = Rejection(rawValue: try uint8()) else { throw .invalid("rejection") }
    return rejection
  }
}
