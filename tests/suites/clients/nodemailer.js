// SPDX-License-Identifier: GPL-3.0-or-later
// node nodemailer.js MODULES HOST PORT ID COUNT: sends COUNT messages over two connections.
const [modules, host, port, id, count] = process.argv.slice(2);
const nodemailer = require(modules + "/nodemailer");

const transport = nodemailer.createTransport({
  pool: true, maxConnections: 2, host, port: Number(port), secure: false, ignoreTLS: true,
  name: "client.here.test",
});

const messages = [...Array(Number(count)).keys()].map((number) => transport.sendMail({
  from: "Sender <sender@here.test>",
  to: ["alice@there.test", "bob@there.test"],
  subject: "Grüße " + number,
  text: "Plain: äöü €\n.\n..dots\n",
  html: "<p>Rich: äöü €</p>",
  headers: { "X-Test-Id": id + "-" + number },
  dsn: {
    id: "env-" + number, return: "headers", notify: ["failure", "delay"],
    recipient: "sender@here.test",
  },
  attachments: [{ filename: "päper.bin", content: Buffer.from([...Array(256).keys()]) }],
}));

Promise.all(messages).then(
  (results) => {
    console.log(JSON.stringify(results.map((result) => result.response)));
    transport.close();
  },
  (error) => { console.error(error); process.exit(1); });
