import CLinux
import Glibc
import System

/// A time of day of its own for a program of a test, which can be moved while it runs.
///
/// The kernel gives a process other monotonic clocks at most (time namespaces), so a small library
/// goes before libc and adds what a file says. What time files get is the kernel's word all the
/// same, as on a disk that another machine has.
struct MovableClock {
  /// A time that it can be set to.
  enum Time: CaseIterable {
    case right
    case hoursAhead
    /// For so long no key of the group is in use.
    case weeksAhead
    case yearsBack
    case in1970
    /// Behind the last second of 32 bits.
    case in2106
  }

  private let library: String
  private let file: String

  /// A clock that is right. Compiles the library.
  init(_ fixture: Fixture) throws {
    let source = fixture.newPath("clock") + ".c"
    library = fixture.newPath("clock") + ".so"
    file = fixture.newPath("clock")
    try Files.write(source, Self.source)
    try fixture.run("gcc", "-O2", "-shared", "-fPIC", "-o", library, source).succeeded()
    try set(.right)
    try suspend(for: 0)
  }

  /// The words that run a program with this clock.
  var words: [String] { ["env", "LD_PRELOAD=\(library)", "TEST_CLOCK=\(file)"] }

  /// Moves it, for all programs that run with it too.
  func set(_ time: Time) throws {
    let now = WallClock.seconds
    var offset: Int64 =
      switch time {
      case .right: 0
      case .hoursAhead: 5 * 3_600
      case .weeksAhead: 20 * 86_400
      case .yearsBack: -3 * 365 * 86_400
      case .in1970: 7 - now
      case .in2106: (1 << 32) + 7 - now
      }
    try write(&offset, at: 0)
  }

  /// Has the machine been suspended for so many seconds in all.
  func suspend(for seconds: Int64) throws {
    var seconds = seconds
    try write(&seconds, at: 8)
  }

  private func write(_ value: inout Int64, at place: off_t) throws {
    let file = OwnedDescriptor(try Files.open(self.file, O_WRONLY | O_CREAT))
    let count = pwrite(file.raw, &value, MemoryLayout<Int64>.size, place)
    guard count == MemoryLayout<Int64>.size else { throw SystemError("write \(self.file)") }
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <fcntl.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static const volatile int64_t *offset;
    static int (*real)(clockid_t, struct timespec *);

    __attribute__((constructor)) static void begin(void) {
      real = dlsym(RTLD_NEXT, "clock_gettime");
      const char *path = getenv("TEST_CLOCK");
      int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
      void *place = file < 0 ? MAP_FAILED : mmap(0, 16, PROT_READ, MAP_SHARED, file, 0);
      if (file >= 0) close(file);
      if (place != MAP_FAILED) offset = place;
    }

    int clock_gettime(clockid_t clock, struct timespec *time) {
      if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
      int result = real(clock, time);
      if (!result && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += offset[0];
      if (!result && offset && clock == CLOCK_BOOTTIME) time->tv_sec += offset[1];
      return result;
    }

    int gettimeofday(struct timeval *time, void *zone) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      time->tv_sec = now.tv_sec;
      time->tv_usec = now.tv_nsec / 1000;
      return 0;
    }

    time_t time(time_t *place) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (place) *place = now.tv_sec;
      return now.tv_sec;
    }

    """
}
