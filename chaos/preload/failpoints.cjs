// Loaded into a process whose steps the lab interrupts. It knows two moments of every statement (before it is sent,
// after its answer came and before anybody sees it) and three of every call that leaves the process (before, sent, after).
// The lab tells it which moment is to be the last one, or to tell all of them; and when claims may go out, so that one
// worker takes a run and another one stands by.
const diagnostics = require('node:diagnostics_channel');
const { Client } = require('pg');
const { Dispatcher } = require('undici');

const CLAIM = /^claim-(queued|due)$/;

let counts = new Map();
let last = process.env.CHAOS_LAST_POINT ?? null;
let tells = process.env.CHAOS_TELLS === 'true';
let gate = closedGate();

function closedGate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (message) => {
  if (message.do === 'arm') {
    counts = new Map();
    last = message.point ?? null;
    tells = message.tells === true;
  }
  if (message.do === 'open') gate.open();
  if (message.do === 'close') gate = closedGate();
});

/** A moment has come: it is counted among those of its kind, told if somebody listens, and the last one if it is meant. */
function reached(moment) {
  const nth = (counts.get(moment) ?? 0) + 1;
  counts.set(moment, nth);
  const point = `${moment} #${nth}`;
  if (tells) process.send({ point });
  if (point === last) process.kill(process.pid, 'SIGKILL');
}

/** A statement's name; of one without a name its first words. */
function nameOf(query) {
  if (query?.name) return query.name;
  const text = typeof query === 'string' ? query : (query?.text ?? 'a query');
  return text.replace(/\s+/g, ' ').trim().slice(0, 40);
}

const send = Client.prototype.query;
Client.prototype.query = function queryAtFailpoints(query, ...rest) {
  const name = nameOf(query);
  const callback = rest.at(-1);
  if (typeof callback === 'function') {
    reached(`before ${name}`);
    return send.call(this, query, ...rest.slice(0, -1), (...answer) => {
      reached(`after ${name}`);
      callback(...answer);
    });
  }
  const ask = async () => {
    if (CLAIM.test(name)) await gate.opened;
    reached(`before ${name}`);
    const answer = await Promise.resolve(send.call(this, query, ...rest));
    reached(`after ${name}`);
    return answer;
  };
  // What is submitted to the driver as an object of its own (a cursor) is not a promise.
  return typeof query?.submit === 'function' ? send.call(this, query, ...rest) : ask();
};

const request = Dispatcher.prototype.request;
Dispatcher.prototype.request = async function requestAtFailpoints(options, ...rest) {
  const name = `${options.method} ${options.path}`;
  reached(`before ${name}`);
  const answer = await request.call(this, options, ...rest);
  reached(`after ${name}`);
  return answer;
};
diagnostics.subscribe('undici:request:bodySent', ({ request: sent }) =>
  reached(`sent ${sent.method} ${sent.path}`),
);
