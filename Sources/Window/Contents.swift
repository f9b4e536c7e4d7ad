import Glibc
import System
import Transport

/// Files and folders as answers.
enum Contents {
  /// A file, or the part of it that is asked for. Blocks.
  static func file(
    _ place: PlaceInShare, in share: ShareFolder, _ request: WebRequest, meter: GuestMeter? = nil
  ) -> WebReply {
    do throws(SystemError) {
      let file = try share.open(place, O_RDONLY | O_NONBLOCK)
      let found = try Stat(descriptor: file.raw)
      guard found.isRegular else {
        return .response(Answers.refusal(409, "'\(Answers.shown(place.bytes))' is no file"))
      }
      return answer(file, found, named: place.name, request, meter)
    } catch { return .response(Answers.refusal(error, place)) }
  }

  private static func answer(
    _ file: OwnedDescriptor, _ found: Stat, named name: [UInt8], _ request: WebRequest,
    _ meter: GuestMeter?
  ) -> WebReply {
    let shown = request.query["download"] == nil ? MediaType.shown(name) : nil
    let tag = "\"\(found.ino)-\(found.size)-\(found.mtime.tv_sec).\(found.mtime.tv_nsec)\""
    // What another version had there is not what follows what was read of this one.
    let isSame = request.ifRange.map { $0 == tag } ?? true
    var headers: [(name: String, value: String)] = [
      ("Accept-Ranges", "bytes"), ("ETag", tag), ("Cache-Control", "no-cache"),
      ("Content-Disposition", disposition(name, isShown: shown != nil)),
    ]
    let type = shown?.type ?? "application/octet-stream"
    func head(_ status: Int) -> WebResponse {
      Answers.head(status, type: type, policy: Answers.ofContent, headers)
    }
    switch ByteRange(isSame ? request.range : nil, size: found.size) {
    case .whole:
      let source = FileSource(file, range: 0..<found.size, meter: meter)
      return .stream(head(200), source, length: UInt64(found.size))
    case .part(let range):
      headers.append(
        (
          "Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(found.size)"
        ))
      let source = FileSource(file, range: range, meter: meter)
      return .stream(head(206), source, length: UInt64(range.count))
    case .none:
      headers.append(("Content-Range", "bytes */\(found.size)"))
      return .response(head(416))
    }
  }

  /// A folder as a zip archive. Blocks.
  static func archive(
    _ place: PlaceInShare, in share: ShareFolder, meter: GuestMeter? = nil
  ) -> WebReply {
    do throws(SystemError) {
      let folder = try share.open(place, O_RDONLY | O_DIRECTORY)
      let name = place.name.isEmpty ? share.root.name : place.name
      let top = name.isEmpty ? Array("share".utf8) : name
      let source = try ZipSource(folder, named: top, meter: meter)
      let head = Answers.head(
        200, type: "application/zip", policy: Answers.ofContent,
        [
          ("Cache-Control", "no-store"),
          ("Content-Disposition", disposition(top + Array(".zip".utf8), isShown: false)),
        ])
      return .stream(head, source, length: nil)
    } catch { return .response(Answers.refusal(error, place)) }
  }

  /// RFC 6266 and RFC 8187: any name, in characters that end no header.
  private static func disposition(_ name: [UInt8], isShown: Bool) -> String {
    "\(isShown ? "inline" : "attachment"); filename*=UTF-8''\(PercentEncoding.text(name))"
  }
}
