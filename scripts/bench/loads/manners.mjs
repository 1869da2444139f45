const HEAD = `GET http://bench.test/ HTTP/1.1\r\nHost: bench.test\r\nX-Filler: ${'x'.repeat(1000)}`;

/** What a connection that never asks for anything says, from when it is open. */
export const MANNERS = {
  silent: () => undefined,
  half: (socket) => socket.write(HEAD),
  slow: (socket) => {
    let said = 0;
    const say = () => socket.write(HEAD[said++ % HEAD.length]);
    const timer = setInterval(say, 1000);
    socket.once('close', () => clearInterval(timer));
    say();
  },
};
