// Linux calls and macros that Glibc's Swift module does not have. Header only: nothing to link.
#ifndef FSHAREFS_CLINUX_SHIM_H
#define FSHAREFS_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sys/timex.h>
#include <unistd.h>
#include <wchar.h>

/// openat2(2), which glibc has no wrapper for.
static inline int clinux_openat2(
    int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

/// preadv2(2) of what is in memory; EAGAIN where the disk would be needed.
static inline ssize_t clinux_read_in_memory(int fd, void *buffer, size_t count, off_t offset) {
  struct iovec piece = {.iov_base = buffer, .iov_len = count};
  ssize_t got = preadv2(fd, &piece, 1, offset, RWF_NOWAIT);
  if (got >= 0 || errno != EOPNOTSUPP) return got;
  // Where the flag is not known, only file systems without a disk are sure not to wait for one.
  struct statfs system;
  if (fstatfs(fd, &system) != 0
      || (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC)) {
    errno = EAGAIN;
    return -1;
  }
  return pread(fd, buffer, count, offset);
}

/// Whether an open file lies on a file system of a disk of this machine, or of its memory: then
/// `fstat` asks nobody. A network's, or another program's, may not answer.
static inline int clinux_is_on_local_disk(int fd) {
  static const unsigned int types[] = {
      0xEF53 /* ext */, 0x58465342 /* xfs */, 0x9123683E /* btrfs */, 0xF2F52010 /* f2fs */,
      0x2FC12FC1 /* zfs */, 0xCA451A4E /* bcachefs */, TMPFS_MAGIC, RAMFS_MAGIC};
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return 0;
  for (unsigned int i = 0; i < sizeof types / sizeof types[0]; i++)
    if ((unsigned int)system.f_type == types[i]) return 1;
  return 0;
}

/// Whether a name in an open directory is where something is mounted, from the same file system
/// too: 1, 0, or -1 with errno.
static inline int clinux_is_mount_root(int dirfd, const char *name) {
  struct statx found;
  if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &found) != 0) return -1;
  return (found.stx_attributes_mask & found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/// When what lies at a name in an open directory was made: 1, 0 where the file system does not
/// know, or -1 with errno.
static inline int clinux_birth(
    int dirfd, const char *name, int64_t *seconds, uint32_t *nanoseconds) {
  struct statx found;
  int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  if (statx(dirfd, name, flags, STATX_BTIME, &found) != 0) return -1;
  *seconds = found.stx_btime.tv_sec;
  *nanoseconds = found.stx_btime.tv_nsec;
  return (found.stx_mask & STATX_BTIME) != 0;
}

/// renameat2(2) with its flags.
static inline int clinux_renameat2(
    int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int flags) {
  return (int)syscall(SYS_renameat2, olddirfd, oldpath, newdirfd, newpath, flags);
}

/// Makes the calling thread act on files as a user and a group; as root still free to go
/// everywhere. Only root may. Back to root with 0. Returns: 0, or -1 where it did not become so.
static inline int clinux_act_on_files_as(uid_t user, gid_t group) {
  setfsgid(group);
  setfsuid(user);
  // Neither says whether it worked; asked for what nobody is, they say who one is.
  if (setfsuid((uid_t)-1) != (int)user || setfsgid((gid_t)-1) != (int)group) return -1;
  if (user == 0) return 0;
  // With root's number the kernel has taken the right to pass by permissions, which it has checked
  // already.
  struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &head, data) != 0) return -1;
  data[0].effective |= data[0].permitted
      & (CAP_TO_MASK(CAP_DAC_OVERRIDE) | CAP_TO_MASK(CAP_DAC_READ_SEARCH));
  return (int)syscall(SYS_capset, &head, data);
}

/// copy_file_range(2) by offsets.
static inline ssize_t clinux_copy_file_range(
    int in, int64_t in_offset, int out, int64_t out_offset, size_t length) {
  off_t from = in_offset, to = out_offset;
  return copy_file_range(in, &from, out, &to, length, 0);
}

/// Lets the allocator keep up to 64 MiB of what was freed, and take blocks below 16 MiB from its
/// heap.
static inline void clinux_keep_freed_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

static inline void clinux_give_back_memory(void) { malloc_trim(0); }

/// fork(2), which Swift's Glibc module marks unavailable. Call before any thread is started.
static inline pid_t clinux_fork(void) { return fork(); }

/// Names the calling thread: prctl(2) is variadic.
static inline int clinux_set_thread_name(const char *name) {
  return prctl(PR_SET_NAME, name, 0, 0, 0);
}

static inline int clinux_wifexited(int status) { return WIFEXITED(status); }
static inline int clinux_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int clinux_wtermsig(int status) { return WTERMSIG(status); }

static const unsigned int clinux_s_ifmt = S_IFMT;
static const unsigned int clinux_s_ifdir = S_IFDIR;
static const unsigned int clinux_s_ifreg = S_IFREG;
static const unsigned int clinux_s_iflnk = S_IFLNK;
static const unsigned int clinux_s_ififo = S_IFIFO;
static const unsigned int clinux_s_ifsock = S_IFSOCK;
static const int clinux_f_setlease = F_SETLEASE;

/// Which signal says that a lease of an open file is to be given up: F_SETSIG of fcntl(2).
static inline int clinux_set_lease_signal(int fd, int number) { return fcntl(fd, F_SETSIG, number); }

static const long clinux_utime_now = UTIME_NOW;
static const long clinux_utime_omit = UTIME_OMIT;
static const int clinux_seek_hole = SEEK_HOLE;
static const unsigned int clinux_rename_noreplace = RENAME_NOREPLACE;
static const unsigned int clinux_rename_exchange = RENAME_EXCHANGE;

/// Which locks this thread holds, a bit for each rank.
static inline uint32_t *clinux_held_locks(void) {
  static _Thread_local uint32_t held;
  return &held;
}

/// The flag of open(2) for reads past the page cache: a macro whose value is the machine's.
static inline int clinux_o_direct(void) { return O_DIRECT; }

/// wcwidth(3), which Glibc's module leaves out.
static inline int clinux_wcwidth(uint32_t scalar) { return wcwidth((wchar_t)scalar); }

/// Whether the clock is kept by somebody (NTP): 1 or 0; -1 where the kernel does not say.
static inline int clinux_clock_is_kept(void) {
  struct timex state = {.modes = 0};
  if (adjtimex(&state) < 0) return -1;
  return (state.status & STA_UNSYNC) == 0;
}

#endif
