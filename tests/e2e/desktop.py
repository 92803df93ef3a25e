#!/usr/bin/python3
"""A desktop as far as the journeys need one: it hosts tray icons, and sees, closes and sizes windows.

Prints one line of JSON when it is ready, then answers each line of JSON on stdin with one on stdout:

  {"do": "items"}                    tray icons: their addresses on the bus
  {"do": "menu"}                     entries of the newest icon's menu: {"id", "label", "enabled"}
  {"do": "press", "id": 3}           chooses one
  {"do": "icon"}                     the picture that is shown: {"path", "print"}
  {"do": "windows", "name": "…"}     top-level windows of that name: {"id", "shown", "width", "height", "x", "y"}
  {"do": "close", "id": 7}           asks a window to close, as its frame's button does

Without --tray it takes no icons.
"""

import ctypes
import hashlib
import json
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"

DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()


class Watcher(dbus.service.Object):
    """The name that tray icons register with."""

    def __init__(self):
        self.items = []
        super().__init__(dbus.service.BusName(WATCHER, bus), "/StatusNotifierWatcher")

    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, service, sender=None):
        # An icon says either where it is on its own connection, or which connection it is on.
        place = (sender, service) if service.startswith("/") else (service, "/StatusNotifierItem")
        self.items.append(place)
        self.StatusNotifierItemRegistered("".join(place))

    @dbus.service.method(WATCHER, in_signature="s")
    def RegisterStatusNotifierHost(self, service):
        self.StatusNotifierHostRegistered()

    @dbus.service.signal(WATCHER, signature="s")
    def StatusNotifierItemRegistered(self, item):
        pass

    @dbus.service.signal(WATCHER, signature="")
    def StatusNotifierHostRegistered(self):
        pass

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return self.GetAll(interface)[name]

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {
            "RegisteredStatusNotifierItems": dbus.Array(["".join(item) for item in self.items], signature="s"),
            "IsStatusNotifierHostRegistered": True,
            "ProtocolVersion": dbus.Int32(0),
        }


class Tray:
    def __init__(self):
        self.watcher = Watcher()

    def items(self):
        return ["".join(item) for item in self.watcher.items]

    def property(self, name):
        item = bus.get_object(*self.watcher.items[-1])
        return dbus.Interface(item, dbus.PROPERTIES_IFACE).Get(ITEM, name)

    def menu_of_newest(self):
        sender, _ = self.watcher.items[-1]
        return dbus.Interface(bus.get_object(sender, self.property("Menu")), MENU)

    def menu(self):
        _, (_, _, children) = self.menu_of_newest().GetLayout(0, -1, dbus.Array([], signature="s"))
        entries = [(int(number), properties) for number, properties, _ in children]
        return [
            {"id": number, "label": str(properties["label"]), "enabled": bool(properties.get("enabled", True))}
            for number, properties in entries
            if "label" in properties
        ]

    def press(self, id):
        self.menu_of_newest().Event(id, "clicked", dbus.Int32(0, variant_level=1), dbus.UInt32(0))
        return True

    def icon(self):
        # Each change writes a new file: its name says nothing.
        path = str(self.property("IconName"))
        with open(path, "rb") as picture:
            return {"path": path, "print": hashlib.sha256(picture.read()).hexdigest()}


class Attributes(ctypes.Structure):
    """XWindowAttributes"""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("klass", "bit_gravity", "win_gravity", "backing_store")),
        *((name, ctypes.c_ulong) for name in ("backing_planes", "backing_pixel")),
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("map_installed", "map_state")),
        *((name, ctypes.c_long) for name in ("all_events", "your_events", "do_not_propagate")),
        ("override_redirect", ctypes.c_int),
        ("screen", ctypes.c_void_p),
    ]


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, as long as the union XEvent"""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 12),
    ]


CLIENT_MESSAGE = 33
VIEWABLE = 2


class Screen:
    def __init__(self):
        self.x = ctypes.CDLL("libX11.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.x.XDefaultRootWindow.restype = ctypes.c_ulong
        self.x.XInternAtom.restype = ctypes.c_ulong
        # A window may be gone between being listed and being looked at, which is no reason to end.
        self.ignore = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: 0)
        self.x.XSetErrorHandler(self.ignore)
        self.display = ctypes.c_void_p(self.x.XOpenDisplay(None))
        self.root = ctypes.c_ulong(self.x.XDefaultRootWindow(self.display))

    def windows(self, name):
        found = []
        for window in self.children():
            attributes = Attributes()
            title = ctypes.c_char_p()
            if not self.x.XFetchName(self.display, ctypes.c_ulong(window), ctypes.byref(title)):
                continue
            if title.value != name.encode():
                continue
            if not self.x.XGetWindowAttributes(self.display, ctypes.c_ulong(window), ctypes.byref(attributes)):
                continue
            # Toolkits keep helpers of the same name, ten pixels small and never shown.
            if attributes.width <= 16:
                continue
            measures = {key: getattr(attributes, key) for key in ("width", "height", "x", "y")}
            found.append({"id": window, "shown": attributes.map_state == VIEWABLE, **measures})
        return found

    def children(self):
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        self.x.XQueryTree(
            self.display,
            self.root,
            ctypes.byref(root),
            ctypes.byref(parent),
            ctypes.byref(children),
            ctypes.byref(count),
        )
        windows = children[: count.value]
        self.x.XFree(children)
        return windows

    def close(self, id):
        message = ClientMessage(type=CLIENT_MESSAGE, window=id, format=32)
        message.message_type = self.atom("WM_PROTOCOLS")
        message.data[0] = self.atom("WM_DELETE_WINDOW")
        self.x.XSendEvent(self.display, ctypes.c_ulong(id), 0, ctypes.c_long(0), ctypes.byref(message))
        self.x.XFlush(self.display)
        return True

    def atom(self, name):
        return self.x.XInternAtom(self.display, name.encode(), 0)


def say(thing):
    print(json.dumps(thing), flush=True)


screen = Screen()
tray = Tray() if "--tray" in sys.argv else None
loop = GLib.MainLoop()


def obey(*_):
    line = sys.stdin.readline()
    if not line:
        loop.quit()
        return False
    order = json.loads(line)
    what = order.pop("do")
    try:
        answer = getattr(screen if hasattr(Screen, what) else tray, what)(**order)
        say({"answer": answer})
    except (dbus.DBusException, OSError, IndexError, AttributeError) as error:
        say({"error": f"{type(error).__name__}: {error}"})
    return True


GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, obey)
say({"ready": True})
loop.run()
