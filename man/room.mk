dist_man_MANS += \
  man/codeteleportd.8 \
  man/codeteleportd.conf.5 \
  man/codeteleport-server.8 \
  man/codeteleport-server.conf.5
dist_man_MANS += man/ctctl.1 man/libcodeteleport.3
