# SPDX-License-Identifier: GPL-3.0-or-later
# fish completion for postroomctl; needs a running service for ids and names

function __postroomctl_ask
    set -l home (commandline -opc | string match -- '--home=*')
    postroomctl $home[1] --json $argv 2>/dev/null
end

# What a name is made of needs no JSON parser.
function __postroomctl_field
    string match -rag "\"$argv[1]\":\"?([^\",}]*)"
end

# The words so far begin with these, options aside.
function __postroomctl_at
    set -l words (commandline -opc)[2..]
    set -l words (string match -v -- '-*' $words)
    string match -q -- "$argv[1] *" "$words "
end

# They are these, and no more.
function __postroomctl_after
    set -l words (commandline -opc)[2..]
    set -l words (string match -v -- '-*' $words)
    test "$words" = "$argv[1]"
end

function __postroomctl_words
    set -l path $argv[1]
    complete -c postroomctl -f -n "__postroomctl_after $path" -a "$argv[2..]"
end

complete -c postroomctl -f
complete -c postroomctl -l home -r -d 'The service of this home'
complete -c postroomctl -l json -d 'One JSON document'
complete -c postroomctl -l help -d 'Show help'
complete -c postroomctl -l version -d 'Show the version'

__postroomctl_words '' status queue sessions log pause resume test-mail reload config certificate user provider route
__postroomctl_words queue list show retry hold release delete fail move edit export
__postroomctl_words sessions show disconnect
__postroomctl_words pause receiving sending
__postroomctl_words resume receiving sending
__postroomctl_words config check
__postroomctl_words certificate export list
__postroomctl_words user add password remove list
__postroomctl_words provider list show
__postroomctl_words route password list add status pin sign-in sign-out client-secret

for order in show retry hold release delete fail edit export
    complete -c postroomctl -n "__postroomctl_at queue $order" -a '(__postroomctl_ask queue list --limit=200 | __postroomctl_field id)'
end
for order in retry hold release delete
    complete -c postroomctl -n "__postroomctl_at queue $order" -l all -d 'All of them'
end
for order in show disconnect
    complete -c postroomctl -n "__postroomctl_after sessions $order" -a '(__postroomctl_ask sessions | __postroomctl_field id)'
end
complete -c postroomctl -n '__postroomctl_after queue move' -a '- (__postroomctl_ask route list | __postroomctl_field name)'
for option in text route state limit
    complete -c postroomctl -n '__postroomctl_after queue; or __postroomctl_after queue list' -l $option -r
end
complete -c postroomctl -n '__postroomctl_at queue edit' -l add -r
complete -c postroomctl -n '__postroomctl_at queue edit' -l remove -r
complete -c postroomctl -n '__postroomctl_at log' -l follow -d 'Go on as things happen'
for option in message address kind since lines bundle
    complete -c postroomctl -n '__postroomctl_at log' -l $option -r
end
complete -c postroomctl -n '__postroomctl_at test-mail' -l to -r -d 'Address'
complete -c postroomctl -n '__postroomctl_at test-mail' -l wait -d 'Until it is sent'
complete -c postroomctl -n '__postroomctl_after config check' -F
complete -c postroomctl -n '__postroomctl_at certificate export' -l format -r
for order in password remove
    complete -c postroomctl -n "__postroomctl_after user $order" -a '(__postroomctl_ask user list | __postroomctl_field name)'
end
complete -c postroomctl -n '__postroomctl_at user add' -l senders -r
complete -c postroomctl -n '__postroomctl_at user add' -l cram-md5
complete -c postroomctl -n '__postroomctl_after provider show' -a '(__postroomctl_ask provider list | __postroomctl_field id)'
for order in password status pin sign-in sign-out client-secret
    complete -c postroomctl -n "__postroomctl_after route $order" -a '(__postroomctl_ask route list | __postroomctl_field name)'
end
for option in provider username auth via client-id tenant flow parameter recipients senders
    complete -c postroomctl -n '__postroomctl_at route add' -l $option -r
end
complete -c postroomctl -n '__postroomctl_at route pin' -l yes
complete -c postroomctl -n '__postroomctl_at route sign-in' -l device
complete -c postroomctl -n '__postroomctl_at route sign-in' -l no-browser
complete -c postroomctl -n '__postroomctl_at route password' -l forget
