"""Chat templates of the forms that published models have."""

# As of Qwen and others: a start and an end round each turn.
CHATML = (
  "{%- if messages[0]['role'] == 'system' %}\n"
  "    {{- '<|im_start|>system\\n' + messages[0]['content']"
  " + '<|im_end|>\\n' }}\n"
  "{%- else %}\n"
  "    {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}\n"
  "{%- endif %}\n"
  "{%- for message in messages %}\n"
  "    {%- if message.role != 'system' %}\n"
  "        {{- '<|im_start|>' + message.role + '\\n' + message.content"
  " + '<|im_end|>' + '\\n' }}\n"
  "    {%- endif %}\n"
  "{%- endfor %}\n"
  "{%- if add_generation_prompt %}\n"
  "    {{- '<|im_start|>assistant\\n' }}\n"
  "{%- endif %}\n"
)

# As of Llama 3: the start token spelled out, and a date.
HEADERS = (
  "{{- bos_token }}\n"
  "{%- if not date_string is defined %}\n"
  "    {%- if strftime_now is defined %}\n"
  '        {%- set date_string = strftime_now("%d %b %Y") %}\n'
  "    {%- else %}\n"
  '        {%- set date_string = "26 Jul 2024" %}\n'
  "    {%- endif %}\n"
  "{%- endif %}\n"
  "{%- if messages[0]['role'] == 'system' %}\n"
  "    {%- set system_message = messages[0]['content']|trim %}\n"
  "    {%- set messages = messages[1:] %}\n"
  "{%- else %}\n"
  '    {%- set system_message = "" %}\n'
  "{%- endif %}\n"
  '{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}\n'
  '{{- "Today Date: " + date_string + "\\n\\n" }}\n'
  "{{- system_message }}\n"
  '{{- "<|eot_id|>" }}\n'
  "{%- for message in messages %}\n"
  "    {{- '<|start_header_id|>' + message['role']"
  " + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}\n"
  "{%- endfor %}\n"
  "{%- if add_generation_prompt %}\n"
  "    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n"
  "{%- endif %}\n"
)

# As of Gemma 2: no system, and roles that must take turns.
TURNS = (
  "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
  "{{ raise_exception('System role not supported') }}{% endif %}"
  "{% for message in messages %}"
  "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
  "{{ raise_exception('Roles must alternate') }}{% endif %}"
  "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
  "{% else %}{% set role = message['role'] %}{% endif %}"
  "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim"
  " + '<end_of_turn>\n' }}"
  "{% endfor %}"
  "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)

# As of Llama 2 and Mistral: nothing says that an answer is due.
INSTRUCTIONS = (
  "{{ bos_token }}{% for message in messages %}"
  "{% if message['role'] == 'user' %}"
  "{{ '[INST] ' + message['content'] + ' [/INST]' }}"
  "{% else %}{{ message['content'] + eos_token }}{% endif %}"
  "{% endfor %}"
)
