# For Homebrew, from a clone of this repository as a tap: `brew tap NAME/codeteleport FOLDER-OR-URL`,
# `brew install --HEAD codeteleportd`.  Who releases it adds url and sha256 of the tarball, beside
# head.  Written from the Formula Cookbook; nobody has run it with brew yet.
class Codeteleportd < Formula
  desc "Backs up coding-agent sessions: daemon, client and server"
  license "ISC"
  head "file://#{File.expand_path("..", __dir__)}", using: :git, branch: "main"

  depends_on "autoconf" => :build
  depends_on "automake" => :build
  depends_on "pkgconf" => :build
  depends_on "curl" # macOS has it, but no pkg-config file for it
  depends_on "expat"
  depends_on "json-c"
  depends_on "libarchive"
  depends_on "libconfig"
  depends_on "libdeflate"
  depends_on "libevent"
  depends_on "libmicrohttpd"
  depends_on "libxcrypt"
  depends_on "openssl@3"
  depends_on "pcre2"
  depends_on "qrencode"
  depends_on "sqlite"
  depends_on "utf8proc"
  depends_on "zlib"
  depends_on "zstd"

  def install
    system "./autogen.sh" unless File.exist?("configure")
    system "./configure", *std_configure_args
    system "make"
    system "make", "install"
  end

  # As codeteleportd --agent says it, but for the socket, which has no fixed place here: the daemon
  # opens it itself.
  service do
    run [opt_bin/"codeteleportd"]
    keep_alive successful_exit: false
    process_type :background
    error_log_path var/"log/codeteleportd.log"
  end

  test do
    assert_match "codeteleportd ", shell_output("#{bin}/codeteleportd --version")
    assert_match "the configuration is fine", shell_output("#{bin}/codeteleportd -t")
    assert_match "nobody listens", shell_output("#{bin}/ctctl status 2>&1", 69)
  end
end
