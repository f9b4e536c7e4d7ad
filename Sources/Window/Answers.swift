import Control
import FoundationEssentials
import Glibc
import System
import Transport

/// The answers of a site, with what every browser is told beside them.
enum Answers {
  /// What no page of another origin, and no file of a member, may do here.
  private static let always: [(name: String, value: String)] = [
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
  ]

  private static let ofPage =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    + "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    + "frame-ancestors 'none'"

  /// Of what members share: shown, and never run.
  static let ofContent = "default-src 'none'; sandbox; frame-ancestors 'self'"

  static func head(
    _ status: Int, type: String, policy: String = ofPage,
    _ more: [(name: String, value: String)] = []
  ) -> WebResponse {
    WebResponse(
      status: status,
      headers: [("Content-Type", type), ("Content-Security-Policy", policy)] + always + more)
  }

  static func json(
    _ value: some Encodable, status: Int = 200, _ more: [(name: String, value: String)] = []
  ) -> WebResponse {
    var response = head(
      status, type: "application/json", [("Cache-Control", "no-store")] + more)
    response.body = (try? JSONEncoder().encode(value)).map { Array($0) } ?? []
    return response
  }

  /// A sentence for people.
  static func refusal(_ status: Int, _ text: String) -> WebResponse {
    json(["error": text], status: status)
  }

  static func done(_ status: Int, _ text: String) -> WebResponse {
    json(["message": text], status: status)
  }

  /// What a call of the system failed with.
  static func refusal(_ error: SystemError, _ place: PlaceInShare) -> WebResponse {
    let shown = shown(place.bytes)
    return switch error.code {
    case ENOENT: refusal(404, "there is no '\(shown)' in the share")
    case EACCES, EPERM, EROFS:
      refusal(403, "'\(shown)' is not yours to change, or to read")
    case EEXIST: refusal(409, "there is a '\(shown)' already")
    case ENOTEMPTY: refusal(409, "in '\(shown)' lies something of others")
    case EISDIR, ENOTDIR: refusal(409, "'\(shown)' is not of that kind")
    case ENOSPC, EDQUOT: refusal(507, "the disk of this member is full")
    case ETIMEDOUT, EAGAIN, EHOSTDOWN, ENOTCONN:
      refusal(504, "the owner or the master of the group does not answer; try again")
    case ENAMETOOLONG, EILSEQ, EINVAL:
      refusal(400, "'\(shown)' cannot be a name in the share")
    default: refusal(500, "\(shown): \(SystemError.reason(error.code))")
    }
  }

  /// A path for people.
  static func shown(_ bytes: [UInt8]) -> String {
    bytes.isEmpty ? "/" : TerminalText.escaped(bytes)
  }
}
