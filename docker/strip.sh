# strip.sh: makes an image smaller in what an intruder could use. Nothing in it runs with another user's rights, and nothing
# in it installs software: apt, dpkg and perl go. The records in /var/lib/dpkg go last, when the bill of materials was made of
# what is left.
# Runs once, as root, in the first stage of the Dockerfiles.
set -euo pipefail
shopt -s nullglob

gone='apt|apt-utils|libapt-pkg[0-9.]*|dpkg|dpkg-dev|debconf|debconf-i18n|adduser|init-system-helpers|perl|perl-base|perl-modules-[0-9.]*|libperl[0-9.]*|gpgv|debian-archive-keyring|lib.*-perl'
for list in /var/lib/dpkg/info/*.list; do
  package=$(basename "$list" .list)
  [[ ${package%%:*} =~ ^($gone)$ ]] || continue
  while IFS= read -r path; do
    # Folders belong to others as well, and so does a link such as /lib that leads to one.
    [ -d "$path" ] || rm -f "$path"
  done <"$list"
done
# What other packages wrote in Perl has nothing to run it any more.
grep -rlIE '^#! ?(/usr)?/bin/(env )?perl' /bin/ /sbin/ /usr/bin /usr/sbin /usr/lib /usr/share 2>/dev/null | xargs -r rm -f
rm -rf /etc/apt /etc/dpkg /usr/lib/apt /usr/lib/dpkg /usr/lib/*/perl* /usr/share/perl* /usr/lib/*/libapt-* /usr/lib/*/libperl* \
  /var/lib/apt /var/cache/apt /var/cache/debconf /var/log/apt /var/log/dpkg.log

# The user of the images has a name: programs that ask who runs them fail without one.
grep -q '^[^:]*:[^:]*:10001:' /etc/passwd || echo 'longhouse:x:10001:10001::/tmp:/bin/bash' >>/etc/passwd
grep -q '^[^:]*:[^:]*:10001:' /etc/group || echo 'longhouse:x:10001:' >>/etc/group

# Git's servers and its mail, and copies of the program itself.
rm -f /usr/lib/git-core/{git-daemon,git-shell,git-imap-send,git-http-push,scalar} /usr/bin/{git-shell,scalar}
[ ! -e /usr/lib/git-core/git ] || ln -sf /usr/bin/git /usr/lib/git-core/git

find / -xdev \( -type f -o -type d \) -perm /6000 -exec chmod u-s,g-s {} +
