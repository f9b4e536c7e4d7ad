package import Glibc

// Nobody else can give it these: Glibc is C.
// swift-format-ignore: AvoidRetroactiveConformances
extension timespec: @retroactive Equatable, @retroactive Comparable {
  package static func == (a: timespec, b: timespec) -> Bool {
    a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec
  }

  package static func < (a: timespec, b: timespec) -> Bool {
    (a.tv_sec, a.tv_nsec) < (b.tv_sec, b.tv_nsec)
  }
}
