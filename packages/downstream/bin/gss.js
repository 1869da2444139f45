// GSS-API for one account, in a process of its own: MIT Kerberos takes from the environment of a process which tickets it
// uses, and waits for a KDC in threads of which there are few. Run by src/kerberos/gss-process.ts, which has the messages.
//
//   node gss.js PACKAGE      PACKAGE: `kerberos`, or a module like it
const [, , name] = process.argv;

/** Contexts that no last token came for are forgotten, the oldest first: proxies that prove nothing leave them open. */
const MAX_CONTEXTS = 1024;
const contexts = new Map();

const loading = import(name).then((module) => module.default ?? module);
// Whoever asks is told.
loading.catch(() => undefined);

/** Mutual authentication and nothing else: the proxy must not be able to act for the user. */
async function initiate({ service, principal }, mechOID) {
  const gss = await loading;
  const options = { flags: gss.GSS_C_MUTUAL_FLAG, mechOID: gss[mechOID] };
  return gss.initializeClient(service, principal === undefined ? options : { ...options, principal });
}

async function first(request) {
  try {
    const client = await initiate(request, 'GSS_MECH_OID_SPNEGO');
    return { client, token: await client.step('') };
  } catch (error) {
    // SPNEGO says only that no mechanism was left; Kerberos, asked by itself, says why.
    if (/SPNEGO cannot find mechanisms/.test(error.message)) {
      await (await initiate(request, 'GSS_MECH_OID_KRB5')).step('');
    }
    throw error;
  }
}

function keep(context, client) {
  contexts.delete(context);
  if (!client.contextComplete) contexts.set(context, client);
  for (const oldest of contexts.keys()) {
    if (contexts.size <= MAX_CONTEXTS) break;
    contexts.delete(oldest);
  }
}

async function step(request) {
  const { context, token: input, service } = request;
  if (context === undefined) {
    await loading;
    return { ok: true };
  }
  const known = contexts.get(context);
  // One token at a time; what fails is over.
  contexts.delete(context);
  if (service === undefined && known === undefined) throw new Error('the context is gone');
  const { client, token } =
    service === undefined ? { client: known, token: await known.step(input) } : await first(request);
  keep(context, client);
  return { ok: true, token: token ?? '', complete: client.contextComplete };
}

process.on('message', async (request) => {
  const { id } = request;
  const answer = await step(request).catch(({ code, message }) => ({ ok: false, code, why: String(message) }));
  if (process.connected) process.send({ id, ...answer });
});

// It ends with the process that runs it, and not before: a Ctrl-C is meant for that one, which may still have work to do.
process.on('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
