noinst_LIBRARIES += uploader/libuploader.a
uploader_libuploader_a_SOURCES =
