import CLinux
import Glibc
import Protocol
import System

/// Something on disk that can be looked at.
enum WatchTarget: Hashable, Sendable {
  /// A name in a directory of one's own, known by its node.
  case name(InodeNumber, Name)
  /// What is shared in place.
  case place(InPlaceShareID)
}

/// Something that the kernel saw in a watched directory: only ever a hint to look.
enum WatchEvent: Equatable, Sendable {
  /// What a name hints at.
  enum Hint: Sendable {
    /// It came, went, or its writer closed it.
    case finished
    /// Somebody may be writing it still.
    case writing
    /// Its attributes changed, and no more is known.
    case attributes
  }

  case target(WatchTarget, Hint)
  /// The attributes of the own folder itself changed.
  case top
  /// Events were lost: anything may have changed.
  case overflow
  /// Something was mounted or unmounted, somewhere: no watch of a directory tells of that.
  case mounts
}

/// The kernel's watches (inotify) on the directories of the own folder, and the thread that hears
/// of their events. Directories are known by their nodes, which keep their number wherever they are
/// moved.
final class OwnWatch: Sendable {
  private struct Target {
    var directory: InodeNumber?
    /// What is shared in place and lies right in the directory, by its name there.
    var places: [InPlaceShareID: [UInt8]] = [:]
    var isEmpty: Bool { directory == nil && places.isEmpty }
  }

  private struct State {
    var targets: [Int32: Target] = [:]
    var directories: [InodeNumber: Int32] = [:]
    var places: [InPlaceShareID: Int32] = [:]
    var isStopping = false
  }

  /// Events of one rename come together, those of a burst are looked at at once: for so long they
  /// are gathered.
  private static let gatherMilliseconds: Int32 = 10
  /// Bytes of events that are taken in one go.
  private static let bufferSize = 256 << 10
  private static let mask = UInt32(
    IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE
      | IN_ONLYDIR | IN_EXCL_UNLINK)

  /// nil where the user has too many of these (`fs.inotify.max_user_instances`): then nothing can
  /// be watched.
  private let events: OwnedDescriptor?
  private let wake: OwnedDescriptor
  /// The kernel's table of mounts, which says when it has changed; nil where it cannot be read.
  private let mounts: OwnedDescriptor?
  /// Watches at most; nil: as many as the kernel allows.
  private let limit: Int?
  private let state = Locked(State())
  private let thread: Locked<JoinableThread?> = Locked(nil)

  init(limit: Int?) throws(SystemError) {
    self.limit = limit
    let opened = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    events = opened < 0 ? nil : OwnedDescriptor(opened)
    let table = Glibc.open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
    mounts = table < 0 ? nil : OwnedDescriptor(table)
    wake = OwnedDescriptor(
      try retryingOnInterrupt("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
  }

  /// Watches an open directory, which is shown by a node. Any thread. Throws: ENOSPC where the user
  /// has too many watches (`fs.inotify.max_user_watches`), EMFILE too many programs that watch.
  func watch(_ directory: OwnedDescriptor, as number: InodeNumber) throws(SystemError) {
    try add(directory) { state, watch in
      // The directory that was watched may be known by another node by now.
      if let old = state.directories[number], state.targets[old]?.directory == number {
        state.targets[old]?.directory = nil
      }
      state.directories[number] = watch
      state.targets[watch, default: Target()].directory = number
    }
  }

  /// Watches for a name in an open directory: that of something that is shared in place. Any
  /// thread.
  func watch(_ directory: OwnedDescriptor, for place: InPlaceShareID, name: [UInt8])
    throws(SystemError)
  {
    try add(directory) { state, watch in
      if let old = state.places[place], old != watch { state.targets[old]?.places[place] = nil }
      state.places[place] = watch
      state.targets[watch, default: Target()].places[place] = name
    }
  }

  /// Whether a directory is watched. Any thread.
  func watches(_ number: InodeNumber) -> Bool { state.withLock { $0.directories[number] != nil } }

  /// Hears no more of a directory. Any thread.
  func forget(_ number: InodeNumber) {
    state.withLock { state in
      guard let watch = state.directories.removeValue(forKey: number) else { return }
      // The same directory may be known by another node by now.
      guard state.targets[watch]?.directory == number else { return }
      state.targets[watch]?.directory = nil
      remove(watch, &state)
    }
  }

  /// Hears no more of something that was shared in place. Any thread.
  func forget(place: InPlaceShareID) {
    state.withLock { state in
      guard let watch = state.places.removeValue(forKey: place) else { return }
      state.targets[watch]?.places[place] = nil
      remove(watch, &state)
    }
  }

  /// Starts the thread. `heard` is called on it with what came, nothing where the time was over;
  /// `wait` says how long nothing may come, in ms, -1 for ever.
  func start(
    wait: @escaping @Sendable () -> Int32, heard: @escaping @Sendable ([WatchEvent]) -> Void
  ) throws(SystemError) {
    let started = try Thread.start(name: "watch") { [self] in
      while let batch = next(wait()) { heard(batch) }
    }
    thread.withLock { $0 = started }
  }

  /// Has the thread ask anew how long it may wait. Any thread.
  func hurry() {
    var one: UInt64 = 1
    _ = write(wake.raw, &one, 8)
  }

  /// Ends the thread.
  func stop() {
    state.withLock { $0.isStopping = true }
    hurry()
    thread.withLock { $0.take() }?.join()
  }

  // MARK: Private parts

  private func add(
    _ directory: OwnedDescriptor, _ note: (inout State, Int32) -> Void
  ) throws(SystemError) {
    // The descriptor was opened beneath its root, so no symlink can lead the watch elsewhere.
    let path = "/proc/self/fd/\(directory.raw)"
    let failure = state.withLock { state -> SystemError? in
      guard let events else { return SystemError(code: EMFILE, call: "watch a directory") }
      if let limit, state.targets.count >= limit {
        return SystemError(code: ENOSPC, call: "watch a directory")
      }
      let watch = inotify_add_watch(events.raw, path, Self.mask)
      if watch < 0 { return SystemError("watch a directory") }
      note(&state, watch)
      return nil
    }
    if let failure { throw failure }
  }

  private func remove(_ watch: Int32, _ state: inout State) {
    guard state.targets[watch]?.isEmpty ?? true else { return }
    state.targets[watch] = nil
    // EINVAL: the directory is gone, and its watch with it.
    if let events { _ = inotify_rm_watch(events.raw, watch) }
  }

  /// Waits for events. nil: the thread ends.
  private func next(_ timeout: Int32) -> [WatchEvent]? {
    var waiting = [
      // poll ignores a negative descriptor.
      pollfd(fd: events?.raw ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wake.raw, events: Int16(POLLIN), revents: 0),
      pollfd(fd: mounts?.raw ?? -1, events: Int16(POLLPRI), revents: 0),
    ]
    _ = poll(&waiting, nfds_t(waiting.count), timeout)
    if state.withLock({ $0.isStopping }) { return nil }
    if waiting[1].revents != 0 {
      var count: UInt64 = 0
      _ = read(wake.raw, &count, 8)
    }
    let heard: [WatchEvent] = waiting[2].revents != 0 ? [.mounts] : []
    guard let events, waiting[0].revents != 0 else { return heard }
    _ = poll(nil, 0, Self.gatherMilliseconds)
    return heard + take(events)
  }

  private func take(_ events: OwnedDescriptor) -> [WatchEvent] {
    // SAFETY: the buffer is aligned for events, filled by the kernel up to `count`, and freed
    // behind the last use.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 8)
    defer { buffer.deallocate() }
    let count = read(events.raw, buffer.baseAddress, buffer.count)
    guard count > 0 else { return [] }
    let raw = RawEvent.all(in: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    return state.withLock { state in raw.flatMap { translated($0, &state) } }
  }

  private func translated(_ event: RawEvent, _ state: inout State) -> [WatchEvent] {
    if event.has(IN_Q_OVERFLOW) { return [.overflow] }
    guard let target = state.targets[event.watch] else { return [] }
    if event.has(IN_IGNORED) || event.has(IN_UNMOUNT) {
      // The directory is gone. That its name is gone too is said by the directory that held it.
      state.targets[event.watch] = nil
      if let number = target.directory { state.directories[number] = nil }
      for place in target.places.keys { state.places[place] = nil }
      return target.places.keys.map { .target(.place($0), .finished) }
    }
    var result: [WatchEvent] = target.places.compactMap { place, name in
      name == event.name ? .target(.place(place), event.hint) : nil
    }
    // Of a directory itself; those below are heard of by the directory that holds them.
    if target.directory == Node.rootNumber, event.name.isEmpty, event.has(IN_ATTRIB) {
      result.append(.top)
    }
    if let number = target.directory, let name = try? Name(event.name) {
      result.append(.target(.name(number, name), event.hint))
    }
    return result
  }
}

/// One `inotify_event`.
private struct RawEvent {
  let watch: Int32
  let mask: UInt32
  let name: [UInt8]

  func has(_ flag: Int32) -> Bool { mask & UInt32(bitPattern: flag) != 0 }

  var hint: WatchEvent.Hint {
    if has(IN_CREATE | IN_MODIFY), !has(IN_ISDIR) { return .writing }
    return has(IN_ATTRIB) ? .attributes : .finished
  }

  /// The events in bytes that the kernel wrote.
  static func all(in bytes: UnsafeRawBufferPointer) -> [RawEvent] {
    var events: [RawEvent] = []
    var offset = 0
    let head = MemoryLayout<inotify_event>.size
    while offset + head <= bytes.count {
      let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
      let start = offset + head
      let end = start + Int(event.len)
      guard end <= bytes.count else { break }
      events.append(
        RawEvent(
          watch: event.wd, mask: event.mask, name: Array(bytes[start..<end].prefix { $0 != 0 })))
      offset = end
    }
    return events
  }
}
