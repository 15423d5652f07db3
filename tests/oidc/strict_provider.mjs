// node strict_provider.mjs MODULES: a certified OpenID provider on the loopback, for the tests of sign-in.
//
// MODULES is the folder that holds node_modules. The first line of standard input tells the rest as JSON: client_id,
// client_secret, redirect_uri and users ([{sub, claims…}]). It prints its address once it listens, and ends with its
// input.
// PKCE is demanded, the client's secret too; whom to sign in is asked on a page of its own that calls nothing outside.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(
  pathToFileURL(createRequire(`${process.argv[2]}/`).resolve('oidc-provider')).href
);

const askedFor = await new Promise((resolve) => {
  process.stdin.once('data', (line) => resolve(JSON.parse(line)));
  process.stdin.once('end', () => process.exit(0));
});
const users = new Map(askedFor.users.map((user) => [user.sub, user]));

const server = createServer();
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const issuer = `http://127.0.0.1:${server.address().port}`;

const draw = (ctx, body) => {
  ctx.type = 'html';
  ctx.body = `<!doctype html><meta charset="utf-8"><title>Strict provider</title>${body}`;
};

const provider = new Provider(issuer, {
  clients: [{
    client_id: askedFor.client_id,
    client_secret: askedFor.client_secret,
    redirect_uris: [askedFor.redirect_uri],
    post_logout_redirect_uris: [askedFor.redirect_uri],
  }],
  cookies: { keys: ['only for tests'] },
  pkce: { required: () => true },
  scopes: ['openid', 'email', 'groups'],
  claims: { openid: ['sub', 'sid', 'auth_time'], email: ['email', 'email_verified'], groups: ['groups'] },
  // Streamlit asks no userinfo endpoint: what it is to know has to be in the ID token.
  conformIdTokenClaims: false,
  ttl: { Interaction: 300, Session: 300, Grant: 300, AccessToken: 300, IdToken: 300, AuthorizationCode: 60 },
  interactions: { url: (ctx, interaction) => `/sign-in/${interaction.uid}` },
  findAccount: (ctx, sub) => users.has(sub)
    ? { accountId: sub, claims: () => users.get(sub) }
    : undefined,
  // Nobody is asked for consent: the company's own application asks for what the company's own directory knows.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      accountId: ctx.oidc.session.accountId,
      clientId: ctx.oidc.client.clientId,
    });
    grant.addOIDCScope('openid email groups');
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => draw(ctx, `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`),
      postLogoutSuccessSource: (ctx) => draw(ctx, '<p>Signed out</p>'),
    },
  },
  renderError: (ctx, out) => draw(ctx, `<h1>${out.error}</h1><pre>${out.error_description ?? ''}</pre>`),
});

const drawSignIn = () => `<!doctype html><meta charset="utf-8"><title>Strict provider</title><form method="post">${
  [...users.keys()].map((sub) => `<button name="sub" value="${sub}">${sub}</button>`).join('')}</form>`;

const answerSignIn = async (request, response) => {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html').end(drawSignIn());
    return;
  }
  let form = '';
  for await (const part of request) form += part;
  await provider.interactionFinished(request, response, { login: { accountId: new URLSearchParams(form).get('sub') } });
};

const answerRest = provider.callback();
server.on('request', (request, response) => {
  if (request.url.startsWith('/sign-in/')) {
    answerSignIn(request, response).catch((error) => { response.statusCode = 400; response.end(String(error)); });
  } else {
    answerRest(request, response);
  }
});
process.stdout.write(`${issuer}\n`);
