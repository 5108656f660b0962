// An OpenID Connect provider (npm's oidc-provider) on loopback, where the person in a file signs in
// without being asked:
//
//     node oidc_provider.mjs NODE_MODULES PEOPLE.json REDIRECT_URI [PORT]
//
// makes keys, prints its issuer and serves until it is killed.  Clients: "rs" and "es", whose ID tokens are signed
// with RS256 and ES256, with the secret "hush-hush"; "public" without one.  PEOPLE.json is
// {"sub", "email", "email_verified"}; "in_token": the e-mail stands in the ID token, not in userinfo.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

// What it says of itself is no part of what this prints.
console.info = console.warn = console.error;

const [modules, people, redirect, port] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const person = () => JSON.parse(readFileSync(people));
const jwk = (type, options, more) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', ...more,
});
const client = (id, more) => ({
  client_id: id, client_secret: 'hush-hush', redirect_uris: [redirect], ...more,
});

const server = createServer();
await new Promise((done) => server.listen(Number(port ?? 0), '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    client('rs', { id_token_signed_response_alg: 'RS256' }),
    client('es', { id_token_signed_response_alg: 'ES256' }),
    client('public', { client_secret: undefined, token_endpoint_auth_method: 'none' }),
  ],
  jwks: { keys: [jwk('rsa', { modulusLength: 2048 }, { kid: 'r', alg: 'RS256' }),
    jwk('ec', { namedCurve: 'P-256' }, { kid: 'e', alg: 'ES256' })] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: !person().in_token,
  cookies: { keys: ['for tests only'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ ...person(), sub: id }) }),
  interactions: { url: (ctx, interaction) => `/person/${interaction.uid}` },
});
server.on('request', async (req, res) => {
  if (!req.url.startsWith('/person/')) {
    provider.callback()(req, res);
    return;
  }
  const { sub, says_no: no } = person();
  const { params } = await provider.interactionDetails(req, res);
  const grant = new provider.Grant({ accountId: sub, clientId: params.client_id });
  grant.addOIDCScope('openid email');
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(req, res,
    no ? { error: 'access_denied' } : { login: { accountId: sub, remember: false }, consent });
});
console.log(issuer);
