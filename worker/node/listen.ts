/** Begins to listen, and says in words why it cannot. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens, and gives the address, such as `http://127.0.0.1:8787`. Throws an Error that says what to do. */
export async function listen(server: Server, port: number, host: string): Promise<string> {
  try {
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen(port, host, done);
    });
  } catch (error) {
    throw inWords(error, port, host);
  }
  const { address, family, port: taken } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
}

function inWords(error: unknown, port: number, host: string): Error {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') {
    return new Error(
      `Port ${port} of ${host} is taken by another program. Stop that, or set PORT to a free one.`,
    );
  }
  if (code === 'EACCES')
    return new Error(`Port ${port} needs rights that this user has not. Set PORT above 1023.`);
  if (code === 'EADDRNOTAVAIL')
    return new Error(`This machine has no address ${host}. Set HOST to one of its own.`);
  return error instanceof Error ? error : new Error(String(error));
}
