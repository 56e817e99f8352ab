"""An IMAP server for tests by Twisted's own imap4: PORT USER PASSWORD.

Mails are kept in memory as plain IMessage, so Twisted writes them anew, with
boundaries of its own, each time they are fetched.
"""

import email
import email.policy
import email.utils
import io
import random
import sys

from twisted.cred import checkers, portal
from twisted.internet import protocol, reactor
from twisted.mail import imap4
from twisted.python import log
from zope.interface import implementer


@implementer(imap4.IMessagePart)
class Part:
    def __init__(self, message):
        self.message = message

    def getHeaders(self, negate, *names):
        names = {imap4.nativeString(n).lower() for n in names}
        return {k.lower(): str(v) for k, v in self.message.items() if (k.lower() in names) != negate}

    def getBodyFile(self):
        body = self.message.get_payload()
        if isinstance(body, list):  # a message/ type
            octets = b"".join(part.as_bytes() for part in body)
        else:
            octets = body.encode("utf-8", "surrogateescape")
        return io.BytesIO(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def getSize(self):
        return len(self.message.as_bytes(policy=email.policy.SMTP))

    def isMultipart(self):
        return self.message.get_content_maintype() == "multipart" and self.message.is_multipart()

    def getSubPart(self, part):
        return Part(self.message.get_payload(part))


@implementer(imap4.IMessage)
class Message(Part):
    def __init__(self, octets, flags, date, uid):
        Part.__init__(self, email.message_from_bytes(octets))
        self.octets, self.flags, self.date, self.uid = octets, set(flags), date, uid

    def getUID(self):
        return self.uid

    def getFlags(self):
        return sorted(self.flags)

    def getInternalDate(self):
        return self.date

    def getSize(self):
        return len(self.octets)


@implementer(imap4.IMailbox)
class Mailbox:
    def __init__(self):
        self.validity = random.randrange(1, 1 << 31)
        self.next, self.messages, self.listeners = 1, [], []

    def getUIDValidity(self):
        return self.validity

    def getUIDNext(self):
        return self.next

    def getUID(self, number):
        return self.messages[number - 1].uid

    def getMessageCount(self):
        return len(self.messages)

    def getRecentCount(self):
        return 0

    def getUnseenCount(self):
        return sum("\\Seen" not in m.flags for m in self.messages)

    def isWriteable(self):
        return True

    def destroy(self):
        pass

    def getHierarchicalDelimiter(self):
        return "/"

    def getFlags(self):
        return ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"]

    def requestStatus(self, names):
        return imap4.statusRequestHelper(self, names)

    def addListener(self, listener):
        self.listeners.append(listener)

    def removeListener(self, listener):
        self.listeners.remove(listener)

    def addMessage(self, body, flags=(), date=None):
        from twisted.internet import defer

        date = date or email.utils.formatdate()
        self.messages.append(Message(body.read(), map(imap4.nativeString, flags), date, self.next))
        self.next += 1
        for listener in self.listeners:
            listener.newMessages(len(self.messages), None)
        return defer.succeed(None)

    def expunge(self):
        gone = [m for m in self.messages if "\\Deleted" in m.flags]
        numbers = [i + 1 for i, m in enumerate(self.messages) if m in gone]
        self.messages = [m for m in self.messages if m not in gone]
        return numbers

    def chosen(self, messages, uid):
        if uid:
            messages.last = self.messages[-1].uid if self.messages else 0
        else:
            messages.last = len(self.messages)
        for number, message in enumerate(self.messages, 1):
            if (message.uid if uid else number) in messages:
                yield number, message

    def fetch(self, messages, uid):
        return list(self.chosen(messages, uid))

    def store(self, messages, flags, mode, uid):
        result = {}
        for number, message in self.chosen(messages, uid):
            if mode > 0:
                message.flags.update(flags)
            elif mode < 0:
                message.flags.difference_update(flags)
            else:
                message.flags = set(flags)
            result[number] = message.getFlags()
        return result


class Account(imap4.MemoryAccount):
    def _emptyMailbox(self, name, id):
        return Mailbox()


class Realm:
    def __init__(self, user):
        self.account = Account(user)
        self.account.create("INBOX")
        self.account.subscribe("INBOX")

    def requestAvatar(self, avatar, mind, *interfaces):
        return imap4.IAccount, self.account, lambda: None


def main(port, user, password):
    users = checkers.InMemoryUsernamePasswordDatabaseDontUse()
    users.addUser(user.encode(), password.encode())
    place = portal.Portal(Realm(user), [users])

    class Factory(protocol.Factory):
        def buildProtocol(self, addr):
            server = imap4.IMAP4Server()
            server.portal = place
            server.factory = self
            return server

    log.startLogging(sys.stderr)
    reactor.listenTCP(int(port), Factory(), interface="127.0.0.1")
    reactor.run()


main(*sys.argv[1:])
