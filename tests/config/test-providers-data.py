#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""data/providers.json has the form that core/config/providers.c reads, and nothing else."""

import json
import re
import sys

CLASSES = ('retry', 'hold', 'bounce', 'sign-in', 'slow-down')
ACTIONS = ('app-password', 'password', 'sign-in', 'wait', 'sender', 'recipient', 'message', 'size',
           'settings', 'account', 'admin')
MECHANISMS = ('plain', 'login', 'cram-md5', 'scram-sha-256', 'xoauth2', 'oauthbearer')

# name: (type, required)
PROVIDER = {
    'id': (str, True), 'name': (str, True), 'kind': (('mailbox', 'relay', 'service'), True),
    'domains': ([str], True), 'parameters': ([dict], False), 'hosts': ([dict], True),
    'auth': ([dict], True), 'username': (dict, True), 'oauth': (dict, False), 'api': (dict, False),
    'limits': (dict, True), 'from': (dict, True), 'like': ([str], False), 'errors': ([dict], False),
    'notes': (str, False), 'help': ('url', True), 'checked-on': (r'20\d\d-\d\d(-\d\d)?', True),
    'source': (str, True), 'confidence': (('confirmed', 'documented', 'unverified'), True),
}
PARTS = {
    'parameters': {'name': (str, True), 'words': (str, True), 'values': ([str], False),
                   'default': (str, False), 'example': (str, False)},
    'hosts': {'host': (str, True), 'port': (int, True),
              'tls': (('implicit', 'starttls', 'optional'), True)},
    'auth': {'kind': (('none', 'password', 'app-password', 'token', 'oauth'), True),
             'mechanisms': ([str], False), 'url': ('url', False), 'steps': ([str], True)},
    'username': {'form': (('address', 'local', 'literal', 'other', 'none'), True),
                 'value': (str, False), 'words': (str, False)},
    'oauth': {'authorize': ('url', True), 'token': ('url', True), 'device': ('url', False),
              'revoke': ('url', False), 'scopes': ([str], True),
              'program-scopes': ([str], False), 'pkce': (bool, True),
              'client': (('own', 'closed'), True), 'words': (str, True)},
    'api': {'via': (('gmail-api', 'graph'), True), 'scopes': ([str], True),
            'program-scopes': ([str], False), 'size': (int, False)},
    'limits': {'rates': ([dict], False), 'connections': (int, False), 'size': (int, False),
               'recipients-per-message': (int, False), 'messages-per-connection': (int, False)},
    'from': {'policy': (('any', 'account', 'aliases', 'domain', 'verified'), True),
             'rewrite': (bool, True), 'null-sender': (bool, False), 'words': (str, False)},
    'errors': {'code': (r'[45]\d?\d?', False), 'status': (r'[45]\.\d{1,3}\.\d{1,3}', False),
               'text': ([str], False), 'class': (CLASSES, True), 'wait': (int, False),
               'words': (str, True), 'action': (ACTIONS, True)},
    'rates': {'number': (int, True), 'seconds': (int, True),
              'per': (('message', 'recipient'), True),
              'window': (('rolling', 'calendar'), True), 'unverified': (bool, False)},
}

faults = []


def complain(where, what):
    faults.append(f'data/providers.json: {where}: {what}')


def check_value(where, value, kind):
    if isinstance(kind, list):
        if not isinstance(value, list) or not all(isinstance(item, kind[0]) for item in value):
            complain(where, 'is no list of the right kind')
    elif isinstance(kind, tuple):
        if value not in kind:
            complain(where, f'{value!r} is none of {", ".join(kind)}')
    elif kind == 'url':
        if not re.fullmatch(r'https://[a-z0-9.-]+(/[^\s]*)?', str(value)):
            complain(where, f'{value!r} is no https URL')
    elif isinstance(kind, str):
        if not re.fullmatch(kind, str(value)):
            complain(where, f'{value!r} has not the form {kind}')
    elif not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or value <= 0)):
        complain(where, f'{value!r} is not of the right kind')
    elif kind is str and (value != value.strip() or value == ''):
        complain(where, 'is empty or has blanks around it')


def check_object(where, item, form):
    for name in item.keys() - form.keys():
        complain(where, f'has an unknown field {name}')
    for name, (kind, required) in form.items():
        if name in item:
            check_value(f'{where} {name}', item[name], kind)
        elif required:
            complain(where, f'lacks {name}')
    for name, value in item.items():
        if name in PARTS and name in form:
            for part in value if isinstance(value, list) else [value]:
                check_object(f'{where} {name}', part, PARTS[name])


def check_rules(where, rules):
    seen = set()
    for rule in rules:
        if not {'code', 'status', 'text'} & rule.keys():
            complain(where, 'a rule fits every reply')
        if (rule.get('class') == 'slow-down') != ('wait' in rule):
            complain(where, f'wait belongs to slow-down: {rule.get("words")}')
        for text in rule.get('text', []):
            if text != text.lower():
                complain(where, f'{text!r} is not in lower case')
        key = (rule.get('code'), rule.get('status'), tuple(rule.get('text', [])))
        if key in seen:
            complain(where, f'two rules for {key}')
        seen.add(key)


def check_provider(item, families):
    where = item.get('id', '?')
    check_object(where, item, PROVIDER)
    check_rules(where, item.get('errors', []))
    names = {parameter['name'] for parameter in item.get('parameters', [])}
    for host in item['hosts']:
        if not re.fullmatch(r'[a-z0-9.{}-]+', host['host']) or not 0 < host['port'] < 65536:
            complain(where, f'{host["host"]} is no host')
        if not set(re.findall(r'{(\w+)}', host['host'])) <= names:
            complain(where, f'{host["host"]} needs a parameter that is not there')
    if not item['hosts'] or not item['auth']:
        complain(where, 'needs a host and a way to sign in')
    for way in item['auth']:
        if (way['kind'] == 'oauth') > ('oauth' in item):
            complain(where, 'signs in by OAuth without its endpoints')
        if not set(way.get('mechanisms', [])) <= set(MECHANISMS):
            complain(where, 'names an unknown mechanism')
    if (item['username']['form'] == 'literal') != ('value' in item['username']):
        complain(where, 'a literal user name needs its value')
    for family in item.get('like', []):
        if family not in families:
            complain(where, f'is like {family}, which is not there')
    for parameter in item.get('parameters', []):
        if 'default' in parameter and parameter['default'] not in parameter.get('values', []):
            complain(where, f'the default of {parameter["name"]} is none of its values')


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        data = json.load(file)
    if set(data) != {'version', 'families', 'providers'} or data['version'] != 1:
        complain('the whole', 'has another form')
    for name, rules in data['families'].items():
        for rule in rules:
            check_object(name, rule, PARTS['errors'])
        check_rules(name, rules)
    ids, domains = set(), set()
    for item in data['providers']:
        check_provider(item, data['families'])
        if item['id'] in ids or not re.fullmatch(r'[a-z0-9-]+', item['id']):
            complain(item['id'], 'the id is not unique, or no id')
        ids.add(item['id'])
        for domain in item['domains']:
            if domain in domains or domain != domain.lower():
                complain(item['id'], f'{domain} is named twice, or not in lower case')
            domains.add(domain)
    print('\n'.join(faults) or f'{len(ids)} providers are in order')
    return len(faults) > 0


if __name__ == '__main__':
    sys.exit(main())
