//! A SQLite VFS over the system's own one: passes everything on, writes down what changes the disk, and lets calls
//! fail. The real `Tablet::open` and `FacilityServer::open` run over it once it is the default.
//!
//! The one module of this crate with unsafe code: a VFS is a table of C functions.
#![allow(unsafe_code)]

use super::disk::{Call, Fault, Kind, asked, done, is_fresh_log};
use rusqlite::ffi;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The system's own.
static REAL: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(null_mut());

/// What SQLite holds of an open file; the real one's own memory follows.
#[repr(C)]
struct Shim {
    base: ffi::sqlite3_file,
    /// Boxed; null for a temporary file.
    of: *mut Of,
}

struct Of {
    path: PathBuf,
    /// A journal or a log: its first sync names it in its folder too.
    is_log: bool,
    /// The shared index of a log never comes back from the disk.
    goes: bool,
}

/// Makes it the default for every connection that is opened from now on.
pub fn register() {
    // SAFETY: SQLite's list of VFSs is guarded by its own mutex; the structure lives for ever (leaked), its functions
    // are those of this module, and `REAL` is set before SQLite can call any of them.
    unsafe {
        let real = ffi::sqlite3_vfs_find(null_mut());
        assert!(!real.is_null(), "SQLite has a VFS");
        REAL.store(real, Ordering::SeqCst);
        let mut shim = *real;
        shim.pNext = null_mut();
        shim.zName = c"lamplight-faults".as_ptr();
        shim.szOsFile = (size_of::<Shim>() as c_int) + (*real).szOsFile;
        shim.xOpen = Some(open);
        shim.xDelete = Some(delete);
        // The others are given the real table, which some of them read.
        shim.xAccess = Some(access);
        shim.xFullPathname = Some(full_pathname);
        let shim = Box::leak(Box::new(shim));
        assert_eq!(ffi::sqlite3_vfs_register(shim, 1), ffi::SQLITE_OK);
    }
}

fn real() -> *mut ffi::sqlite3_vfs {
    REAL.load(Ordering::SeqCst)
}

/// SAFETY: `name` is null or a C string, as SQLite passes it.
unsafe fn path(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    Some(PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

/// SAFETY: `file` was opened by [`open`], which puts the real file behind the shim.
unsafe fn inner(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    unsafe { file.cast::<u8>().add(size_of::<Shim>()).cast() }
}

/// SAFETY: as [`inner`].
unsafe fn of<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a Of> {
    unsafe { (*file.cast::<Shim>()).of.as_ref() }
}

fn code(fault: Fault, io: c_int) -> c_int {
    match fault {
        Fault::Io => io,
        Fault::Full => ffi::SQLITE_FULL,
    }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives `szOsFile` bytes at `file`; `name` is null or its own C string, which outlives the file.
    unsafe {
        let shim = file.cast::<Shim>();
        (*shim).base.pMethods = std::ptr::null();
        (*shim).of = null_mut();
        let path = path(name);
        if let Some(fault) = path.as_deref().and_then(|path| asked(Kind::Open, path)) {
            return code(fault, ffi::SQLITE_CANTOPEN);
        }
        let was_there = path.as_deref().is_some_and(Path::exists);
        let Some(real_open) = (*real()).xOpen else { return ffi::SQLITE_CANTOPEN };
        let answer = real_open(real(), name, inner(file), flags, out);
        if !(*inner(file)).pMethods.is_null() {
            (*shim).base.pMethods = &METHODS;
        }
        if answer == ffi::SQLITE_OK
            && let Some(path) = path
        {
            let is_log = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
            if !was_there && path.exists() {
                is_fresh_log(&path, true);
                done(Call::Create(path.clone()));
            }
            (*shim).of =
                Box::into_raw(Box::new(Of { path, is_log, goes: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0 }));
        }
        answer
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: `name` is SQLite's own C string.
    unsafe {
        let path = path(name).unwrap_or_default();
        if let Some(fault) = asked(Kind::Delete, &path) {
            return code(fault, ffi::SQLITE_IOERR_DELETE);
        }
        let was_there = path.exists();
        let answer = (*real()).xDelete.map_or(ffi::SQLITE_IOERR, |f| f(real(), name, sync_folder));
        if answer == ffi::SQLITE_OK && was_there {
            let folder = path.parent().map(Path::to_owned);
            done(Call::Remove(path));
            if let Some(folder) = folder.filter(|_| sync_folder != 0) {
                done(Call::SyncFolder(folder));
            }
        }
        answer
    }
}

unsafe extern "C" fn access(_: *mut ffi::sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: passed on as it came, with the table that the function belongs to.
    unsafe { (*real()).xAccess.map_or(ffi::SQLITE_IOERR, |f| f(real(), name, flags, out)) }
}

unsafe extern "C" fn full_pathname(_: *mut ffi::sqlite3_vfs, name: *const c_char, n: c_int, out: *mut c_char) -> c_int {
    // SAFETY: as `access`.
    unsafe { (*real()).xFullPathname.map_or(ffi::SQLITE_IOERR, |f| f(real(), name, n, out)) }
}

/// Passes a call on to the real file.
macro_rules! pass {
    ($name:ident, $method:ident, $($arg:ident: $type:ty),*) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($arg: $type),*) -> c_int {
            // SAFETY: passed on as it came, to the real file behind this one.
            unsafe {
                let file = inner(file);
                (*(*file).pMethods).$method.map_or(ffi::SQLITE_IOERR, |f| f(file, $($arg),*))
            }
        }
    };
}

pass!(read, xRead, to: *mut c_void, n: c_int, at: ffi::sqlite3_int64);
pass!(file_size, xFileSize, size: *mut ffi::sqlite3_int64);
pass!(lock, xLock, level: c_int);
pass!(unlock, xUnlock, level: c_int);
pass!(check_reserved_lock, xCheckReservedLock, out: *mut c_int);
pass!(file_control, xFileControl, op: c_int, arg: *mut c_void);
pass!(sector_size, xSectorSize,);
pass!(device_characteristics, xDeviceCharacteristics,);
pass!(shm_map, xShmMap, page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
pass!(shm_lock, xShmLock, offset: c_int, n: c_int, flags: c_int);
pass!(shm_unmap, xShmUnmap, and_delete: c_int);
pass!(fetch, xFetch, at: ffi::sqlite3_int64, n: c_int, out: *mut *mut c_void);
pass!(unfetch, xUnfetch, at: ffi::sqlite3_int64, page: *mut c_void);
pass!(real_write, xWrite, bytes: *const c_void, n: c_int, at: ffi::sqlite3_int64);
pass!(real_truncate, xTruncate, to: ffi::sqlite3_int64);
pass!(real_sync, xSync, flags: c_int);
pass!(real_close, xClose,);

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: passed on to the real file behind this one.
    unsafe {
        let file = inner(file);
        if let Some(f) = (*(*file).pMethods).xShmBarrier {
            f(file);
        }
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    n: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: `bytes` are `n` bytes of SQLite's.
    unsafe {
        let Some(of) = of(file).filter(|of| !of.goes) else { return real_write(file, bytes, n, at) };
        if let Some(fault) = asked(Kind::Write, &of.path) {
            return code(fault, ffi::SQLITE_IOERR_WRITE);
        }
        let answer = real_write(file, bytes, n, at);
        if answer == ffi::SQLITE_OK {
            let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), n as usize).to_vec();
            done(Call::Write { path: of.path.clone(), at: at as u64, bytes });
        }
        answer
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, to: ffi::sqlite3_int64) -> c_int {
    // SAFETY: `file` is one of ours.
    unsafe {
        let Some(of) = of(file).filter(|of| !of.goes) else { return real_truncate(file, to) };
        if let Some(fault) = asked(Kind::Truncate, &of.path) {
            return code(fault, ffi::SQLITE_IOERR_TRUNCATE);
        }
        let answer = real_truncate(file, to);
        if answer == ffi::SQLITE_OK {
            done(Call::Truncate { path: of.path.clone(), to: to as u64 });
        }
        answer
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: `file` is one of ours.
    unsafe {
        let Some(of) = of(file).filter(|of| !of.goes) else { return real_sync(file, flags) };
        if let Some(fault) = asked(Kind::Sync, &of.path) {
            return code(fault, ffi::SQLITE_IOERR_FSYNC);
        }
        let answer = real_sync(file, flags);
        if answer == ffi::SQLITE_OK {
            done(Call::Sync(of.path.clone()));
            if of.is_log && is_fresh_log(&of.path, false) {
                done(Call::SyncFolder(of.path.parent().unwrap_or(Path::new(".")).to_owned()));
            }
        }
        answer
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: `of` came from `Box::into_raw` in `open`, and SQLite closes a file once.
    unsafe {
        let answer = real_close(file);
        let shim = file.cast::<Shim>();
        if !(*shim).of.is_null() {
            drop(Box::from_raw((*shim).of));
            (*shim).of = null_mut();
        }
        answer
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};
