"""Stands between a client and the API server and counts the bytes: python3 relay.py HOST PORT

Prints the port it listens on at 127.0.0.1; when its standard input ends, the bytes sent to HOST and received from it (TLS
records as they are on the wire, without the headers of TCP and IP).
"""
import selectors
import socket
import sys
import threading


def pump(pair: dict[socket.socket, socket.socket], sent: dict[socket.socket, int]) -> None:
    """Hands on what arrives at either end until both have said all; sent[end]: bytes handed to it."""
    with selectors.DefaultSelector() as waiting:
        for end in pair:
            waiting.register(end, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                end = key.fileobj
                try:
                    data = end.recv(1 << 16)
                    pair[end].sendall(data)
                except OSError:
                    data = b""
                sent[pair[end]] += len(data)
                if not data:
                    waiting.unregister(end)
                    try:
                        pair[end].shutdown(socket.SHUT_WR)
                    except OSError:
                        pass  # it has gone already


def main() -> None:
    host, port = sys.argv[1], int(sys.argv[2])
    counts = []

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection((host, port)) as server:
            sent = {client: 0, server: 0}
            counts.append((sent, client, server))
            pump({client: server, server: client}, sent)

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    print(sum(sent[server] for sent, _, server in counts), sum(sent[client] for sent, client, _ in counts))


if __name__ == "__main__":
    main()
