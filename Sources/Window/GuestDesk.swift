import Control
import Glibc
import Protocol
import System
import Transport

/// Makes, lists and ends the links of guests.
final class GuestDesk: Sendable {
  /// Where guests come to.
  struct Entrance: Sendable {
    /// As it is listened on.
    var listen: ListenAddress
    var port: UInt16
    /// Of the certificate; nil where somebody vouches for it.
    var fingerprint: String?
  }

  let links: GuestLinks
  private let mountpoint: String
  private let entrance = Locked<Entrance?>(nil)

  init(links: GuestLinks, mountpoint: String) {
    self.links = links
    self.mountpoint = mountpoint
  }

  func opened(_ entrance: Entrance) { self.entrance.withLock { $0 = entrance } }

  var report: GuestsReport {
    GuestsReport(
      listens: entrance.withLock { $0 }.map { "https://\(Self.place($0))" },
      guests: links.all.map {
        GuestsReport.Guest(
          id: $0.id, path: $0.path, isDrop: $0.isDrop, until: $0.until, created: $0.created,
          opened: $0.opened, bytes: $0.bytes)
      })
  }

  /// What is asked for with a link. Arguments of `guest`: the path, seconds or nothing, `read` or
  /// `drop`, a rate or nothing, bytes that may be left or nothing, an address or nothing, and the
  /// path as an absolute one where it was typed.
  struct Wish {
    let path: PathArgument
    var time: Int64?
    var isDrop = false
    var rate: UInt64?
    var maxBytes: UInt64?
    var address: String?

    init(_ words: [String], mountpoint: String) throws(Complaint) {
      func word(_ index: Int) -> String? {
        words.count > index && !words[index].isEmpty ? words[index] : nil
      }
      guard let typed = word(0) else { throw Complaint(text: "say which file or folder") }
      path = PathArgument(typed: typed, absolute: word(6), mountpoint: mountpoint)
      if let text = word(1) {
        guard let seconds = Int64(text), (1...Self.longest).contains(seconds) else {
          throw Complaint(text: "'\(text)' is no time: a number of seconds, up to ten years")
        }
        time = seconds
      }
      switch word(2) {
      case nil, "read": break
      case "drop": isDrop = true
      case let other?: throw Complaint(text: "'\(other)': read, or drop")
      }
      if let text = word(3) {
        do throws(ByteRate.Fault) {
          rate = try ByteRate.parse(text, lowest: 1024)
        } catch { throw Complaint(text: "\(error)") }
      }
      if let text = word(4) {
        guard let bytes = UInt64(text), bytes > 0 else {
          throw Complaint(text: "'\(text)' is no number of bytes")
        }
        maxBytes = bytes
      }
      address = word(5)
    }

    private static let longest: Int64 = 10 * 366 * 86_400
  }

  struct Complaint: Error {
    let text: String
  }

  /// Makes a link. Blocks.
  func make(_ words: [String]) -> ControlResponse {
    guard let entrance = entrance.withLock({ $0 }) else {
      return .refused(
        "guests have no way in: start fsharefs with --window-listen ADDR:PORT, for example "
          + "--window-listen :7443")
    }
    do throws(Complaint) {
      let wish = try Wish(words, mountpoint: mountpoint)
      let place = try place(of: wish)
      return try make(wish, place, entrance)
    } catch { return .refused(error.text) }
  }

  private func place(of wish: Wish) throws(Complaint) -> PlaceInShare {
    let path: SharePath? =
      switch wish.path {
      case .invalid(let reason): throw Complaint(text: reason)
      case .root: nil
      case .path(let path): path
      }
    guard let place = PlaceInShare(path?.bytes ?? []) else {
      throw Complaint(text: "that is no path in the share")
    }
    let share = ShareFolder(mountpoint: mountpoint, root: PlaceInShare([])!)
    do throws(SystemError) {
      let opened = try share.open(place, O_PATH)
      let found = try Stat(descriptor: opened.raw)
      guard found.isDirectory || found.isRegular && !wish.isDrop else {
        throw SystemError(code: ENOTDIR, call: "open")
      }
    } catch {
      let shown = Answers.shown(place.bytes)
      throw Complaint(
        text: error.code == ENOTDIR
          ? "'\(shown)' is no \(wish.isDrop ? "folder" : "file or folder")"
          : "'\(shown)': \(SystemError.reason(error.code))")
    }
    return place
  }

  private func make(
    _ wish: Wish, _ place: PlaceInShare, _ entrance: Entrance
  ) throws(Complaint) -> ControlResponse {
    let (id, secret) = (String(Secret.make().prefix(10)), Secret.make())
    let now = WallClock.seconds
    var link = GuestLink(
      id: id, secretHash: Secret.hash(secret), path: place.encoded, isDrop: wish.isDrop,
      until: wish.time.map { now + $0 }, created: now)
    link.rate = wish.rate
    if let most = wish.maxBytes { link.maxBytes = most }
    if wish.isDrop {
      link.dropPath = place.below(Array("guest-\(id)".utf8))?.encoded
      guard link.dropPath != nil else { throw Complaint(text: "the path is too long") }
    }
    let isAdded: Bool
    do throws(SystemError) { isAdded = try links.add(link) } catch {
      throw Complaint(text: "the link cannot be written down: \(error)")
    }
    guard isAdded else {
      throw Complaint(
        text: "there are \(GuestLinks.limit) links already: end some (fsharectl guests)")
    }
    let place = wish.address.map { Self.completed($0, entrance) } ?? Self.place(entrance)
    return .report(
      GuestReport(
        id: id, link: "https://\(place)/#\(id).\(secret)", path: link.path, isDrop: link.isDrop,
        until: link.until, fingerprint: entrance.fingerprint))
  }

  /// Ends a link. Blocks.
  func end(_ id: String) -> ControlResponse {
    do throws(SystemError) {
      return try links.end(id)
        ? .done("the link \(id) is ended") : .refused("there is no link \(id)")
    } catch { return .refused("that cannot be written down: \(error)") }
  }

  private static func completed(_ address: String, _ entrance: Entrance) -> String {
    let hasPort =
      address.hasSuffix("]") ? false : address.hasPrefix("[") || address.contains(":")
    return hasPort ? address : "\(address):\(entrance.port)"
  }

  /// Host and port at which others reach the entrance.
  private static func place(_ entrance: Entrance) -> String {
    var host = entrance.listen.host
    if ["", "0.0.0.0", "::"].contains(host) {
      let all = (try? InterfaceAddresses.reachable()) ?? []
      host = all.first { host != "0.0.0.0" || !$0.contains(":") } ?? "127.0.0.1"
    }
    return "\(ListenAddress(host: host, port: entrance.port))"
  }
}
